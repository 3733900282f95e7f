/** 128 random bits. Good without a secure context, too, unlike crypto.randomUUID. */
export function uniqueId(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join('-');
}
