/**
 * How much better a run of sentences is explained as one story than sentence by sentence: the
 * Dirichlet-compound-multinomial likelihood of its terms (Eisenstein & Barzilay 2008).
 */
import type { Vocabulary } from './terms.ts';

/** Pseudo-count of every term. */
const PRIOR = 0.2;
/** More terms than this would make merging ever cheaper; a digest has about as many. */
const VOCABULARY_LIMIT = 1000;
/** Terms in more than this share of the sentences say nothing about one story. */
const FREQUENT = 0.25;

/**
 * Gains in log-likelihood of every run of up to `longest` sentences, row by row: the run of k
 * sentences from sentence i stands at `i * longest + k - 1`.
 */
export function cohesionGains(vocabulary: Vocabulary, longest: number): Float32Array {
  const sentences = withoutFrequent(vocabulary);
  const counts = new Uint32Array(vocabulary.weights.length);
  const mass = PRIOR * Math.min(vocabulary.weights.length, VOCABULARY_LIMIT);
  const logs = logTables(sentences, longest, mass);
  const alone = sentences.map((terms) => {
    const likelihood = addTerms(terms, counts, 0, logs);
    clear(terms, counts);
    return likelihood;
  });
  const gains = new Float32Array(sentences.length * longest);
  for (let from = 0; from < sentences.length; from++) {
    const to = Math.min(sentences.length, from + longest);
    let gain = 0;
    let size = 0;
    for (let i = from; i < to; i++) {
      const terms = sentences[i]!;
      gain += addTerms(terms, counts, size, logs) - alone[i]!;
      size += terms.length;
      gains[from * longest + i - from] = gain;
    }
    for (let i = from; i < to; i++) clear(sentences[i]!, counts);
  }
  return gains;
}

function withoutFrequent({ sentences, frequencies }: Vocabulary): number[][] {
  const limit = Math.max(3, FREQUENT * sentences.length);
  return sentences.map((terms) => terms.filter((term) => frequencies[term]! <= limit));
}

interface LogTables {
  /** log(prior + count), by count. */
  repeats: Float64Array;
  /** Sum of log(mass + size) over all sizes below, by size. */
  sizes: Float64Array;
}

function logTables(sentences: number[][], longest: number, mass: number): LogTables {
  let most = 0;
  for (const [i] of sentences.entries()) {
    const run = sentences.slice(i, i + longest);
    if (i % longest === 0)
      most = Math.max(
        most,
        run.reduce((sum, terms) => sum + terms.length, 0),
      );
  }
  // Two neighbouring stretches hold whatever run lies across them.
  const repeats = Float64Array.from({ length: 2 * most + 1 }, (_, count) =>
    Math.log(PRIOR + count),
  );
  const sizes = new Float64Array(2 * most + 1);
  for (let size = 1; size < sizes.length; size++) {
    sizes[size] = sizes[size - 1]! + Math.log(mass + size - 1);
  }
  return { repeats, sizes };
}

/** Log-likelihood that the terms add to a run of `size` terms with these counts. */
function addTerms(terms: number[], counts: Uint32Array, size: number, logs: LogTables): number {
  let sum = logs.sizes[size]! - logs.sizes[size + terms.length]!;
  for (const term of terms) sum += logs.repeats[counts[term]!++]!;
  return sum;
}

function clear(terms: number[], counts: Uint32Array): void {
  for (const term of terms) counts[term] = 0;
}
