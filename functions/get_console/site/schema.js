// What a parameter's JSON Schema says of it.

const LONG_TEXT = 200;
const RATIO = /^\d+:\d+$/;

/** Null besides a type means that null may be sent. */
export function typeOf(property) {
  return [property.type].flat().find((each) => each !== "null");
}

export function isNullable(property) {
  return [property.type].flat().includes("null");
}

/** An address, or files: of one kind where `x-media` names it. */
export function isFile(property) {
  return Boolean(property["x-media"]) || (property.items || property).format === "uri";
}

export function isLong(property) {
  return typeOf(property) === "string" && !property.enum && !isFile(property) && (property.maxLength || 0) > LONG_TEXT;
}

export function isRatio(property) {
  return Array.isArray(property.enum) && property.enum.every((each) => RATIO.test(each));
}
