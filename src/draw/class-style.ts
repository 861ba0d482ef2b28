import { paletteColor } from './color.ts';

/** How the detections of one class are shown. */
export interface ClassStyle {
  /** The integer that the model emits. */
  readonly label: number;
  readonly name: string;
  /** `#rrggbb`. */
  readonly color: string;
}

/** The styles of a model's classes: their own colours, else the palette's, in the order of the classes. */
export function classStyles(
  classes: readonly {
    readonly label: number;
    readonly name: string;
    readonly color?: string | undefined;
  }[],
): ClassStyle[] {
  return classes.map(({ label, name, color }, index) => ({
    label,
    name,
    color: color ?? paletteColor(index),
  }));
}

/** The style of any label, also of one that `styles` does not name. */
export function styleLookup(styles: readonly ClassStyle[]): (label: number) => ClassStyle {
  const byLabel = new Map(styles.map((style) => [style.label, style]));
  return (label) => byLabel.get(label) ?? { label, name: `class ${label}`, color: paletteColor(label) };
}
