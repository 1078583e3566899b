/**
 * The smallest graph that shows a provider to work: y = x * x for two numbers. A constant, so that a probe needs nothing
 * else; a test makes it again with `export/serialize.ts` and compares the bytes.
 */

/** Opset 17, IR 8; one node `Mul`; `x` and `y` are float32 `[2]`. */
export const probeGraph: Uint8Array = Uint8Array.from(
  atob(
    'CAgSABoAIgAoADpBChYKAXgKAXgSAXkaBnNxdWFyZSIDTXVsEgVwcm9iZVoPCgF4EgoKCAgBEgQKAggCYg8KAXkSCgoICAESBAoCCAJCBAoAEBE=',
  ),
  (character) => character.charCodeAt(0),
);
