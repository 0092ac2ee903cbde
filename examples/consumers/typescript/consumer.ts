/** A reader of Otter's contract: checks frames by the published schema, reduces them, proves itself on every vector. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Effect, HubFrame, RecordedEvent, SnapshotRow } from '@otter-camp/client/types';

export const V1 = new URL('../../../../schemas/v1/', import.meta.url);
export const read = (file: string) => JSON.parse(readFileSync(new URL(file, V1), 'utf8'));
type Stored = { value: unknown; rev: number; live: boolean };
/** Frames are looked up by type and events by kind: an error says where it is, an unknown kind is none. */
export class Schema {
  readonly of: (reference: string) => ValidateFunction;
  constructor(file = 'otter.schema.json', private catalogue = read('catalogue.json')) {
    const ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: false }).addSchema(read(file), 'otter');
    this.of = (reference) => ajv.getSchema(`otter${reference}`)!;
  }
  check(frame: HubFrame) {
    this.validate(this.catalogue.frames.find((row: any) => row.from === 'hub' && row.frame === frame.type).schema, frame);
    for (const event of frame.type === 'events' ? frame.events : [])
      this.validate(this.catalogue.kinds.find((row: any) => row.kind === event.kind)?.event ?? '#/$defs/RecordedEvent', event);
  }
  private validate(reference: string, value: unknown, check = this.of(reference)) {
    assert(check(value), JSON.stringify(check.errors));
  }
}

const byKey = ([a]: [string, unknown], [b]: [string, unknown]) => (a < b ? -1 : 1);
const isObject = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === 'object' && !Array.isArray(value);

/** What is hashed: keys by byte, no spaces, minimal escapes. JavaScript prints numbers as RFC 8785 says. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical)}]`;
  if (!isObject(value)) return JSON.stringify(value);
  return `{${Object.entries(value).sort(byKey).map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`)}}`;
}

/** RFC 7396. */
function merge(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) if (value === null) delete merged[key]; else merged[key] = merge(merged[key], value);
  return merged;
}

/** The entities of one scope. */
export class Scope extends Map<string, Stored> {
  load = ({ entity, rev, live = true, value }: SnapshotRow) => rev > (this.get(entity)?.rev ?? -1) && this.set(entity, { value, rev, live });
  apply({ seq, data, effects }: RecordedEvent) {
    for (const { op, entity, value = data } of effects) {
      const old = this.get(entity);
      if (seq <= (old?.rev ?? -1)) continue;
      if (op === 'put') this.set(entity, { value, rev: seq, live: true });
      else if (!['merge', 'evict', 'delete'].includes(op)) throw new Error(`this reader is too old: it does not know ${op satisfies Effect['op']}`);
      else if (old && op === 'merge') this.set(entity, { value: merge(old.value, value), rev: seq, live: old.live });
      else if (old && op === 'evict') this.set(entity, { ...old, rev: seq, live: false });
      else if (op === 'delete') this.delete(entity);
    }
  }
  take(frame: HubFrame) {
    if (frame.type === 'subscribed' && frame.mode === 'snapshot') this.clear();
    if (frame.type === 'snapshot') frame.entities.forEach((row) => this.load(row));
    if (frame.type === 'page') frame.rows?.forEach((row) => this.load(row));
    if (frame.type === 'events') frame.events.forEach((event) => this.apply(event));
  }
  rows = () => [...this].filter(([, { live }]) => live).sort(byKey).map(([entity, { rev, value }]) => ({ entity, rev, value }));
  hash = () => this.rows().reduce((sum, row) => BigInt.asUintN(64, sum + fnv1a(`${row.entity}\0${row.rev}\0${canonical(row.value)}`)), 0n).toString(16).padStart(16, '0');
}
const fnv1a = (text: string) => new TextEncoder().encode(text).reduce((hash, byte) => BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n), 0xcbf29ce484222325n);

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const schema = new Schema();
  const vectors = readdirSync(new URL('fixtures/state/', V1)).map((file) => read(`fixtures/state/${file}`));
  for (const { start, runs, entities, hash, description } of vectors) for (const run of runs) {
    const scope = new Scope();
    start.forEach((row: SnapshotRow) => scope.load(row));
    run.frames.forEach((frame: HubFrame) => { schema.check(frame); scope.take(frame); });
    assert.deepEqual([scope.rows(), scope.hash()], [entities, hash], `${description} ${run.description}`);
  }
  console.log(`${vectors.length} vectors end as they should`);
}
