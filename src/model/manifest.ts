import { z } from 'zod';

/**
 * `model.json`, schema 1: how a model is fed and how its outputs are read. Frozen: later versions of Millrace read
 * every package that this schema accepts.
 */

const positive = z.int().positive();
/** Generous, and small enough that a slip of the keyboard does not ask for terabytes. */
const MAX_BATCH = 512;
const MAX_DIVISOR = 1024;
const MAX_SIDE_PX = 16_384;
const sidePx = positive.max(MAX_SIDE_PX);
const unit = z.number().min(0).max(1);
const triple = z.tuple([z.number(), z.number(), z.number()]);
const cssColor = z.string().regex(/^#[0-9a-f]{6}$/i, 'a colour as "#rrggbb"');

const FILTERS = [
  'torch-bilinear',
  'opencv-linear',
  'pillow-bilinear',
  'pillow-bicubic',
  'sharp-lanczos3',
] as const;

const filter = z.enum(FILTERS).default('torch-bilinear');
const rounding = z.enum(['floor', 'round']).default('floor');

const resize = z.discriminatedUnion('policy', [
  z.strictObject({ policy: z.literal('none') }),
  z.strictObject({ policy: z.literal('fixed'), height: sidePx, width: sidePx, filter }),
  z.strictObject({ policy: z.literal('keep-ratio'), height: sidePx, width: sidePx, rounding, filter }),
  z.strictObject({ policy: z.literal('shortest-edge'), size: sidePx, max: sidePx, rounding, filter }),
  z.strictObject({ policy: z.literal('longest-edge'), size: sidePx, rounding, filter }),
]);

const ladder = z.union([z.literal('exact'), z.array(z.tuple([sidePx, sidePx])).min(1)]).default('exact');

const input = z.strictObject({
  layout: z.enum(['NHWC', 'NCHW']),
  dtype: z.enum(['uint8', 'float32', 'float16']),
  color: z.enum(['RGB', 'BGR']).default('RGB'),
  /** `dynamic`, or the size that the graph is frozen at. */
  shape: z
    .union([z.literal('dynamic'), z.strictObject({ height: sidePx, width: sidePx })])
    .default('dynamic'),
  resize,
  crop: z
    .strictObject({ center: z.tuple([positive, positive]) })
    .nullable()
    .default(null),
  pad: z
    .strictObject({
      divisor: positive.max(MAX_DIVISOR).default(1),
      /** After scale, mean and std, in the channel order of `color`. */
      value: triple.default([0, 0, 0]),
      at: z.enum(['right-bottom', 'center']).default('right-bottom'),
      /** `exact`, or padded shapes [height, width] from small to large. */
      ladder,
    })
    .prefault({}),
  /** What the graph does not do itself: x -> (x * scale - mean) / std, x on 0..255. */
  scale: z.number().positive().default(1),
  mean: triple.default([0, 0, 0]),
  std: triple.default([1, 1, 1]),
});

const modelClass = z.strictObject({
  /** The integer that the model emits. */
  label: z.int().nonnegative(),
  /** The COCO category id. */
  id: positive,
  name: z.string().min(1),
  supercategory: z.string().optional(),
  color: cssColor.optional(),
});

const keypoints = z.strictObject({
  names: z.array(z.string().min(1)).default([]),
  /** Pairs of 1-based indices into `names`, as in COCO. */
  skeleton: z.array(z.tuple([positive, positive])).default([]),
  /** Object keypoint similarity constants, one a keypoint. */
  sigmas: z.array(z.number().positive()).default([]),
  colors: z.array(cssColor).default([]),
});

const CONTRACT_NAMES = ['millrace', 'torchvision', 'torchvision-padded', 'mmdeploy', 'classifier'] as const;

export const modelManifest = z
  .strictObject({
    schema: z.literal(1),
    name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/i, 'letters, digits, ".", "_" and "-", at most 63'),
    task: z.enum(['object-detection', 'instance-segmentation', 'keypoint-detection', 'image-classification']),
    /** The ONNX file, beside `model.json`. */
    file: z.string().regex(/^[^/\\]+\.onnx$/, 'the name of an .onnx file in the same folder'),
    sha256: z.string().regex(/^[0-9a-f]{64}$/, 'the SHA-256 of the file in 64 hex digits'),
    contract: z.enum(CONTRACT_NAMES),
    input,
    batch: z.strictObject({
      /** `dynamic`, or the number that the graph is frozen at: short batches are filled with blanks. */
      size: z.union([z.literal('dynamic'), positive]).default('dynamic'),
      max: positive.max(MAX_BATCH),
      /** `masked`: the graph masks it; `zero`: harmless; `forbidden`: only images of one size in a batch. */
      padding: z.enum(['masked', 'zero', 'forbidden']).default('masked'),
    }),
    /** `input`: pixels of the resized image; `image`: of the original image. */
    boxes: z.strictObject({ frame: z.enum(['input', 'image']) }).default({ frame: 'input' }),
    masks: z
      .strictObject({
        /** `box`: a small grid over each box; `input`, `image`: as large as that. */
        frame: z.enum(['box', 'input', 'image']),
        values: z.enum(['probability', 'binary']).default('probability'),
        threshold: unit.default(0.5),
        paste: z.enum(['torchvision', 'detectron2']).default('torchvision'),
      })
      .optional(),
    classes: z.array(modelClass).min(1),
    keypoints: keypoints.optional(),
    thresholds: z
      .strictObject({
        /** Kept in `results/*.json`. */
        score: unit.default(0.05),
        /** Drawn, and written to `annotations.json`. */
        label: unit.default(0.5),
      })
      .prefault({}),
  })
  .superRefine((manifest, context) => {
    const fail = (path: (string | number)[], message: string) =>
      context.addIssue({ code: 'custom', path, message });
    const labels = manifest.classes.map((entry) => entry.label);
    const repeatedLabel = labels.findIndex((label, index) => labels.indexOf(label) !== index);
    if (repeatedLabel >= 0)
      fail(['classes', repeatedLabel, 'label'], `label ${labels[repeatedLabel]} is used twice`);
    const renamed = manifest.classes.findIndex((entry) =>
      manifest.classes.some((other) => other.id === entry.id && other.name !== entry.name),
    );
    if (renamed >= 0)
      fail(['classes', renamed, 'id'], `id ${manifest.classes[renamed]?.id} is used for two different names`);
    const { dtype, pad } = manifest.input;
    if (dtype === 'uint8' && !pad.value.every((v) => Number.isInteger(v) && v >= 0 && v <= 255))
      fail(['input', 'pad', 'value'], 'whole numbers from 0 to 255 for a uint8 input');
    const { names = [], sigmas = [] } = manifest.keypoints ?? {};
    if (sigmas.length > 0 && sigmas.length !== names.length)
      fail(['keypoints', 'sigmas'], `${sigmas.length} for ${names.length} keypoints; give one each, or none`);
    if (manifest.task === 'instance-segmentation' && !manifest.masks)
      fail(['masks'], 'an instance-segmentation model needs "masks"');
    if (manifest.task !== 'instance-segmentation' && manifest.masks)
      fail(['masks'], `a model for ${manifest.task} has none; only instance-segmentation does`);
    if (manifest.task === 'keypoint-detection' && !manifest.keypoints?.names.length)
      fail(['keypoints', 'names'], 'a keypoint-detection model needs the names of its keypoints');
    if (typeof manifest.batch.size === 'number' && manifest.batch.max !== manifest.batch.size)
      fail(
        ['batch', 'max'],
        `a graph frozen at batch ${manifest.batch.size} needs "max": ${manifest.batch.size}`,
      );
    if (
      manifest.contract === 'millrace' &&
      (manifest.input.layout !== 'NHWC' || manifest.input.dtype === 'float16')
    )
      fail(['input'], 'the millrace contract takes NHWC pixels, uint8 or float32');
  });

export type ModelManifest = z.infer<typeof modelManifest>;
export type ModelClass = ModelManifest['classes'][number];
export type ContractName = ModelManifest['contract'];
