/** Runs the fixtures of the contract: what is valid passes, what is invalid is refused where it says, what is of a newer
 * release is read, ignored, passed on or ends the reader as docs/versioning.md says. */
import { readdirSync } from 'node:fs';
import type { ErrorObject } from 'ajv';
import { Schema, V1, read } from './consumer.js';

const UNIONS = { event: 'Event', hub: 'HubFrame', client: 'ClientFrame', command: 'Command', signal: 'Signal', entity: 'Entity' };
const catalogue = read('catalogue.json');
const [schema, strict] = [new Schema(), new Schema('otter.strict.schema.json')];
const wrong: string[] = [];
let count = 0;

function expect(name: string, passed: boolean, found: unknown) {
  count += 1;
  if (!passed) wrong.push(`${name}: ${JSON.stringify(found)}`);
}

const files = (folder: string) =>
  readdirSync(new URL(`fixtures/${folder}/`, V1)).sort().map((file) => [file.slice(0, -5), read(`fixtures/${folder}/${file}`)] as const);

/** Where an error is; of a missing member, where it should be. */
const place = (error: ErrorObject) =>
  error.keyword === 'required' ? `${error.instancePath}/${error.params['missingProperty']}` : error.instancePath;

function check(reference: string, value: unknown, prefix = ''): string[] {
  const validate = schema.of(reference);
  return validate(value) ? [] : (validate.errors ?? []).map((error) => prefix + place(error));
}

/** The errors of a value, with the definition looked up the way a reader does. */
function errorsOf(group: string, value: any): string[] {
  if (group === 'command') {
    const row = catalogue.commands.find((row: any) => row.command === value.kind);
    return row ? check(row.payload, value.data, '/data') : ['/kind'];
  }
  const kind = (event: any) => catalogue.kinds.find((row: any) => row.kind === event.kind);
  if (group === 'event') {
    const row = kind(value);
    return [...check('#/$defs/NewEvent', value), ...(row ? check(row.payload, value.data, '/data') : [])];
  }
  const frame = catalogue.frames.find((row: any) => row.from === group && row.frame === value.type);
  if (!frame) return ['/type'];
  const events: any[] = group === 'hub' && value.type === 'events' ? value.events : [];
  return [
    ...check(frame.schema, value),
    ...events.flatMap((event, at) => check(kind(event)?.event ?? '#/$defs/RecordedEvent', event, `/events/${at}`)),
  ];
}

function outcome(frame: any): unknown {
  if (!catalogue.frames.some((row: any) => row.from === 'hub' && row.frame === frame.type)) return 'ignores';
  const errors = errorsOf('hub', frame);
  if (errors.length > 0) return errors.every((at) => at.endsWith('/op')) ? 'stops' : errors;
  const known = (event: any) => {
    const kind = catalogue.kinds.find((row: any) => row.kind === event.kind);
    return kind && event.effects.every((effect: any) => effect.entity.split('/')[0] === kind.entity);
  };
  return frame.type === 'events' && !frame.events.every(known) ? 'relays' : 'reads';
}

for (const [folder, union] of Object.entries(UNIONS)) {
  for (const [name, value] of files(`valid/${folder}`)) {
    if (name.startsWith('x.')) continue; // integrators' names are not in the unions
    for (const each of [schema, strict]) {
      const validate = each.of(`#/$defs/${union}`);
      expect(`valid/${folder}/${name}`, validate(value), validate.errors);
    }
  }
}
for (const [group, member] of [['event', 'event'], ['command', 'command'], ['client', 'frame'], ['hub', 'frame']] as const) {
  for (const [name, one] of files(`invalid/${group}`).filter(([, one]) => one.schema)) {
    const found = errorsOf(group, one.raw === undefined ? one[member] : JSON.parse(one.raw));
    expect(`invalid/${group}/${name}`, found.includes(one.expect.pointer), found);
  }
}
for (const [name, one] of files('future/hub')) {
  const found = outcome(one.raw === undefined ? one.frame : JSON.parse(one.raw));
  expect(`future/hub/${name}`, found === one.expect.outcome, found);
}
wrong.forEach((line) => console.log(line));
console.log(`${count - wrong.length} of ${count} fixtures as they should`);
process.exitCode = wrong.length > 0 ? 1 : 0;
