// What the public checkers do not know: node .ci/deploy-rules.mjs schemas|split|check ... (see .ci/deploy)
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse, parseAllDocuments } from 'yaml';

const [command, ...parameters] = process.argv.slice(2);
const commands = { schemas, split, check };
commands[command](...parameters);

/** Writes the schemas of CustomResourceDefinitions as JSON schemas that know no further properties. */
function schemas(folder, ...files) {
  for (const file of files) {
    const { spec } = parse(readFileSync(file, 'utf8'));
    for (const version of spec.versions) {
      const name = `${spec.names.kind}_${version.name}.json`.toLowerCase();
      const schema = closed(version.schema.openAPIV3Schema);
      schema.properties.metadata.additionalProperties = true;
      writeFileSync(path.join(folder, name), JSON.stringify(schema));
    }
  }
}

function closed(node) {
  if (Array.isArray(node)) return node.map(closed);
  if (node === null || typeof node !== 'object') return node;
  const result = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, closed(value)]));
  if (result['x-kubernetes-int-or-string']) return { anyOf: [{ type: 'integer' }, { type: 'string' }] };
  const open = result.additionalProperties || result['x-kubernetes-preserve-unknown-fields'];
  // A property may itself be called "properties": that one has no type.
  return result.type === 'object' && result.properties && !open
    ? { ...result, additionalProperties: false }
    : result;
}

/** Splits `kustomize build`, as it stands, into what Kubernetes itself has a schema for and what brings its own. */
function split(file) {
  const documents = readFileSync(file, 'utf8').split(/^---$/m);
  const isCustom = (text) => /^(keda\.sh|monitoring\.coreos\.com)\//.test(parse(text).apiVersion);
  const write = (suffix, part) => writeFileSync(file.replace(/\.yaml$/, suffix), part.join('---'));
  write(
    '.builtin.yaml',
    documents.filter((text) => !isCustom(text)),
  );
  write('.custom.yaml', documents.filter(isCustom));
}

function readDocuments(file) {
  return parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS());
}

async function check(...overlays) {
  const { configSchema } = await import('../dist/config/schema.js');
  const problems = [
    ...overlays.flatMap((name) =>
      [...checkOverlay(readDocuments(`.cache/deploy/${name}`), configSchema)].map(
        (text) => `${name}: ${text}`,
      ),
    ),
    ...readDocuments('k8s/jobs/enqueue.yaml').flatMap((job) => [...checkPod(job, configSchema)]),
    ...checkCompose(parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }), configSchema),
    ...['producer', 'coordinator', 'worker', 'board'].flatMap((role) => [...checkRights(role)]),
  ];
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

function* checkOverlay(documents, configSchema) {
  const named = (kind) => documents.filter((one) => one.kind === kind);
  for (const { kind, metadata } of documents)
    if (kind !== 'Namespace' && metadata.namespace !== 'millrace')
      yield `${kind} ${metadata.name} is in the namespace ${metadata.namespace}`;

  const [namespace] = named('Namespace');
  if (namespace?.metadata.labels['pod-security.kubernetes.io/enforce'] !== 'restricted')
    yield 'the namespace does not enforce restricted pods';

  const deny = named('NetworkPolicy').find(({ metadata }) => metadata.name === 'default-deny');
  if (!deny || Object.keys(deny.spec.podSelector).length > 0 || deny.spec.policyTypes.length !== 2)
    yield 'nothing denies by default';

  const configMap = named('ConfigMap').find(({ data }) => data['millrace.yaml']);
  const settings = configSchema.safeParse(parse(configMap.data['millrace.yaml']));
  if (!settings.success) return yield `millrace.yaml: ${settings.error.message}`;

  for (const workload of [...named('Deployment'), ...named('StatefulSet')]) {
    yield* checkPod(workload, configSchema);
    const { name } = workload.metadata;
    const graceSeconds = workload.spec.template.spec.terminationGracePeriodSeconds;
    if (['coordinator', 'worker'].includes(name) && !(graceSeconds >= settings.data.drainSeconds + 30))
      yield `${name}: a grace of ${graceSeconds} s is less than drainSeconds and 30 s`;
    for (const { configMap: mounted } of workload.spec.template.spec.volumes)
      if (mounted && mounted.name !== configMap.metadata.name)
        yield `${name}: there is no ConfigMap ${mounted.name}`;
  }
  for (const scaled of named('ScaledObject')) yield* checkScaling(scaled, named('Deployment'));
}

const STATES = ['active', 'delayed', 'prioritized', 'wait'];

function* checkScaling({ metadata, spec }, deployments) {
  const target = deployments.find((one) => one.metadata.name === spec.scaleTargetRef.name);
  if (!target) return yield `ScaledObject ${metadata.name}: no Deployment ${spec.scaleTargetRef.name}`;
  if ('replicas' in target.spec) yield `${target.metadata.name}: both KEDA and the Deployment say how many`;
  const lists = spec.triggers.map((trigger) =>
    trigger.metadata.listName.match(/^bull:millrace\.shards\.(.+):(\w+)$/),
  );
  const states = lists.map((match) => match?.[2]).toSorted();
  if (states.join() !== STATES.join())
    yield `ScaledObject ${metadata.name} counts ${states.join()}, not ${STATES.join()}`;
  const models = new Set(lists.map((match) => match?.[1]));
  const served = target.spec.template.spec.containers[0].args.map((argument) => path.basename(argument));
  if (models.size !== 1 || !served.includes([...models][0]))
    yield `ScaledObject ${metadata.name} counts shards of ${[...models].join()}, which ${target.metadata.name} does not serve`;
  const terms = spec.advanced.scalingModifiers.formula.split(' + ').toSorted();
  const names = spec.triggers.map(({ name }) => name).toSorted();
  if (terms.join() !== names.join())
    yield `ScaledObject ${metadata.name}: the formula adds ${terms.join()}, not ${names.join()}`;
}

/** Pod Security "restricted", and more: see docs/deploy.md. */
function* checkPod({ kind, metadata, spec }, configSchema) {
  const pod = spec.template.spec;
  const say = (text) => `${kind} ${metadata.name}: ${text}`;
  if (pod.automountServiceAccountToken !== false) yield say('mounts a token of Kubernetes');
  if (!pod.serviceAccountName) yield say('has no service account of its own');
  for (const key of ['hostNetwork', 'hostPID', 'hostIPC', 'initContainers', 'ephemeralContainers'])
    if (pod[key]) yield say(`has ${key}`);
  for (const volume of pod.volumes ?? []) {
    const type = Object.keys(volume).find((key) => key !== 'name');
    if (!['configMap', 'secret', 'emptyDir', 'projected'].includes(type)) yield say(`mounts a ${type}`);
    if (type === 'emptyDir' && !volume.emptyDir.sizeLimit) yield say(`${volume.name} has no size limit`);
  }
  for (const container of pod.containers) {
    const security = { ...pod.securityContext, ...container.securityContext };
    if (security.runAsNonRoot !== true || !(security.runAsUser > 0)) yield say('may run as root');
    if (security.privileged || security.allowPrivilegeEscalation !== false) yield say('may gain privileges');
    if (security.capabilities?.drop?.join() !== 'ALL' || security.capabilities.add)
      yield say('has capabilities');
    if (security.seccompProfile?.type !== 'RuntimeDefault') yield say('has no seccomp profile');
    if (security.readOnlyRootFilesystem !== true) yield say('writes to its image');
    if (!/:[^:]*\d[^:]*$/.test(container.image) || container.image.endsWith(':latest'))
      yield say(`${container.image} is not pinned`);
    if (
      container.resources?.limits?.memory !== container.resources?.requests?.memory ||
      !container.resources?.limits
    )
      yield say('requests another memory than its limit');
    for (const { name, valueFrom } of container.env ?? []) {
      if (valueFrom?.secretKeyRef) yield say(`${name} is a secret in the environment`);
      if (!isKnown(name, configSchema)) yield say(`${name} is no setting of config/schema.ts`);
    }
  }
}

/** A name that begins with MILLRACE_ must be one that Millrace reads. */
function isKnown(name, configSchema) {
  if (!name.startsWith('MILLRACE_') || name === 'MILLRACE_BOARD_PASSWORD_FILE') return true;
  const names = Object.keys(configSchema.shape).map(
    (key) => `MILLRACE_${key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`,
  );
  return names.includes(name);
}

function* checkCompose({ services, secrets, volumes }, configSchema) {
  for (const [name, service] of Object.entries(services)) {
    const say = (text) => `docker-compose.yml, ${name}: ${text}`;
    if (service.read_only !== true) yield say('writes to its image');
    if (service.cap_drop?.join() !== 'ALL') yield say('has capabilities');
    if (!service.security_opt?.includes('no-new-privileges:true')) yield say('may gain privileges');
    if (!service.deploy?.resources?.limits?.memory) yield say('has no memory limit');
    if (!/:v?\d+\.\d+/.test(service.image)) yield say(`${service.image} is not pinned`);
    if (name !== 'setup' && !service.healthcheck) yield say('has no health check');
    for (const port of service.ports ?? [])
      if (!port.startsWith('127.0.0.1:')) yield say(`${port} is open to the network`);
    for (const secret of service.secrets ?? [])
      if (!secrets[secret]) yield say(`there is no secret ${secret}`);
    for (const volume of service.volumes ?? [])
      if (!volume.startsWith('./') && !(volume.split(':')[0] in volumes))
        yield say(`there is no volume ${volume}`);
    for (const variable of Object.keys(service.environment ?? {}))
      if (!isKnown(variable, configSchema)) yield say(`${variable} is no setting of config/schema.ts`);
  }
}

/** Nobody may delete or replace more than its part asks for. */
function* checkRights(role) {
  const { Statement: statements } = JSON.parse(readFileSync(`k8s/iam/${role}.json`, 'utf8'));
  const actions = statements.flatMap(({ Action: action }) => action);
  for (const action of actions)
    if (/\*|Delete|Acl|Policy/.test(action)) yield `k8s/iam/${role}.json allows ${action}`;
  if (role === 'board' && actions.includes('s3:PutObject')) yield 'the board may write';
}
