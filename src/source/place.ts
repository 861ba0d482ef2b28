import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { StorageLocation } from '../storage/uri.ts';

/** Characters that make a text a glob; a backslash escapes one in a glob. */
export const GLOB_CHARACTERS = /[*?[{\\]/;

/**
 * The URI of a local file or folder, the latter with a `/` at its end. Unlike Node's own it also encodes the characters
 * of a glob, so that a folder named `[1]` is not read as one.
 */
export function fileUri(absolutePath: string): string {
  return pathToFileURL(absolutePath).href.replaceAll(
    /[*[\]{}]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The canonical URI of a folder or an S3 prefix, with a `/` at its end. */
export function folderUri(location: StorageLocation): string {
  if (location.scheme === 'file') return fileUri(path.join(location.folder, '/'));
  const { bucket, prefix } = location;
  return `s3://${bucket}/${prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`}`;
}

/** The canonical URI of one file or object, which `location` names without a `/` at its end. */
export function objectUri(location: StorageLocation): string {
  return location.scheme === 'file' ? fileUri(location.folder) : `s3://${location.bucket}/${location.prefix}`;
}

/** What lies under `key` below a place. */
export function childOf(parent: StorageLocation, key: string): StorageLocation {
  if (parent.scheme === 'file') return { scheme: 'file', folder: path.join(parent.folder, key) };
  const { bucket, prefix } = parent;
  const separator = prefix === '' || prefix.endsWith('/') ? '' : '/';
  return { scheme: 's3', bucket, prefix: `${prefix}${separator}${key}` };
}

/** An object as the storage of its whole bucket or file system, and its key there. */
export function splitObject(location: StorageLocation): { readonly storage: string; readonly key: string } {
  if (location.scheme === 'file') return { storage: 'file:///', key: location.folder.slice(1) };
  return { storage: `s3://${location.bucket}/`, key: location.prefix };
}

/** A text from a list or a bucket, for messages: what could break a line or steer a terminal is escaped. */
export function printable(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}
