// Compiled by `tsc -p .`, never run: what the client and its hooks allow, and what they refuse.
import type { Client, CommandData, CommandKind, Entity, EventOf, OtterEvent, ShownMessage, VendorEvent } from '../index.js';
import { useCommand, useEntity, useMessages, useSelf, useSignal, useTasks } from '../react.js';
import type { MessageCreated, MessageDelta, MessageEntity, Principal, RunCompletedEvent, SignalMap, TaskEntity } from '../types.js';

/** Fails to compile unless both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>) => {};
declare const client: Client;
declare const word: string;

// Commands carry what the catalogue says.
client.command('message.send', { conversationId: 'in_1:c', text: 'hi' });
client.command('conversation.update', { conversationId: 'in_1:c', title: null });
// @ts-expect-error a message needs a text
client.command('message.send', { conversationId: 'in_1:c' });
// @ts-expect-error a member that is not in the catalogue
client.command('message.send', { conversationId: 'in_1:c', text: 'hi', colour: 'red' });
// @ts-expect-error the data of another command
client.command('run.abort', { taskId: 'hub:t' });
// @ts-expect-error a command that is not in the catalogue
client.command('message.shout', { text: 'HI' });
// @ts-expect-error any word may be one that is not in the catalogue
client.command(word, {});
// @ts-expect-error data is not optional
client.command('session.reset');
// @ts-expect-error a closed set of words
client.decide({ id: 'in_1:a', rev: 7 }, 'maybe');

// Integrators' commands name their instance and are open beyond that.
client.command('x.acme.deploy', { instanceId: 'in_1', version: '1.8.0', steps: [1, 2] });
client.command('x.acme.ci.retry', { instanceId: 'in_1', conversationId: 'in_1:c' });
// @ts-expect-error whose command it is has to be said
client.command('x.acme.deploy', { version: '1.8.0' });
// @ts-expect-error an id is a text
client.command('x.acme.deploy', { instanceId: 7 });
// @ts-expect-error a name has a vendor
client.command('x.deploy', { instanceId: 'in_1' });
// @ts-expect-error only names with an x are theirs
client.command('y.acme.deploy', { instanceId: 'in_1' });

// A wrapper passes kind and data on together.
export const ask = <K extends CommandKind>(kind: K, data: CommandData<K>) => client.command(kind, data).done;
ask('task.create', { title: 'Ship it' });
// @ts-expect-error a task has a title
ask('task.create', {});

// Events are those of their kind.
client.on('message.created', (event, { replayed }) => {
  same<typeof event.data, MessageCreated>(true);
  same<typeof replayed, boolean>(true);
  // @ts-expect-error a message has no stage
  event.data.stage;
});
client.on('run.completed', (event) => same<typeof event, RunCompletedEvent>(true));
// @ts-expect-error a kind that is not in the catalogue
client.on('task.teleported', () => {});
// @ts-expect-error any word may be one that is not in the catalogue
client.on(word, () => {});
// @ts-expect-error the event of another kind
client.on('run.completed', (event: EventOf<'run.failed'>) => event);
client.on('x.acme.deployed', (event) => {
  same<typeof event, VendorEvent>(true);
  same<typeof event.data, Record<string, unknown>>(true);
  // @ts-expect-error nobody here knows what is in it
  event.data.version.toUpperCase();
});
// @ts-expect-error a name has a vendor
client.on('x.deployed', () => {});
// Every event narrows by its kind, those of integrators stay apart.
client.on('*', (event) => {
  same<typeof event, OtterEvent>(true);
  if (event.kind === 'message.created') event.data.text.toUpperCase();
  if (event.kind === 'x.acme.deployed') same<typeof event, VendorEvent>(true);
  // @ts-expect-error not before the kind is known
  event.data.text;
  // @ts-expect-error a kind that is not in the catalogue
  event.kind === 'task.teleported';
});

// Entities, rows and signals.
same<ReturnType<typeof client.self.get>, Principal | null>(true);
const task = client.entity('task', 'hub:t').get();
same<typeof task, Entity<TaskEntity> | undefined>(true);
// @ts-expect-error a task has no colour
task?.colour;
const deployment = client.entity<{ version: string }>('x.acme.deployment', 'in_1:42').get();
same<typeof deployment, Entity<{ version: string }> | undefined>(true);
const written = client.entity('message', 'in_1:m').get();
same<typeof written, Entity<ShownMessage> | undefined>(true);
const asked = client.entity('approval', 'in_1:a').get();
if (asked) client.decide(asked, 'deny');
const shown = client.messages('in_1:c').get().rows[0];
same<NonNullable<typeof shown>['status'], MessageEntity['status'] | 'streaming'>(true);
// @ts-expect-error no message is ever lost
shown?.status === 'lost';
const delta = client.signal('message.delta', 'in_1:r').get();
same<typeof delta, MessageDelta | null>(true);
client.send('conversation/in_1:c', 'typing', { active: true });
// @ts-expect-error a signal that is not in the catalogue
client.send('conversation/in_1:c', 'waving', {});
// @ts-expect-error whether is not how much
client.send('conversation/in_1:c', 'typing', { active: 3 });

// The hooks say the same.
export function Hooks() {
  const [send, state] = useCommand('message.send');
  send({ conversationId: 'in_1:c', text: 'hi' });
  // @ts-expect-error a message needs a text
  send({ conversationId: 'in_1:c' });
  const [deploy] = useCommand('x.acme.deploy');
  deploy({ instanceId: 'in_1', version: '1.8.0' });
  // @ts-expect-error whose command it is has to be said
  deploy({ version: '1.8.0' });
  // @ts-expect-error a command that is not in the catalogue
  useCommand('message.shout');
  // @ts-expect-error how far it got is one of a closed set
  state?.state === 'vanished';
  const row = useEntity('task', 'hub:t');
  same<typeof row, Entity<TaskEntity> | undefined>(true);
  const heartbeat = useSignal('instance.heartbeat', 'in_1');
  same<typeof heartbeat, SignalMap['instance.heartbeat'] | null | undefined>(true);
  // @ts-expect-error a closed set of words
  useTasks().rows[0]?.status === 'forgotten';
  // @ts-expect-error a message has no price
  useMessages('in_1:c').rows[0]?.price;
  return useSelf()?.name ?? null;
}
