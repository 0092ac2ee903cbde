import { useApprovals, useClient, useTimeLeft } from '@otter-camp/client/react';

const WORDS = { 'allow-once': 'Allow once', 'allow-always': 'Allow always', deny: 'Deny' };

/** What agents ask before they do it. */
export function Approvals() {
  const { rows, pending } = useApprovals();
  return (
    <section>
      <h2>Approvals {pending > 0 && <b data-testid="approvals-badge">{pending}</b>}</h2>
      {rows.length === 0 && <p className="hint">Nothing to decide</p>}
      <ul>{rows.map((row) => <Approval key={row.id} row={row} />)}</ul>
    </section>
  );
}

function Approval({ row }) {
  const client = useClient();
  const left = useTimeLeft(row.state === 'pending' ? row.expiresAt : null);
  return (
    <li data-testid="approval-card" data-approval-id={row.id} data-state={row.state} data-outcome={row.outcome}>
      {/* The whole command, before anybody can allow it. */}
      <pre>{row.command}</pre>
      <p className="quiet">
        {row.host} {left !== null && `${Math.ceil(left / 1000)} s left`}
      </p>
      {row.state === 'pending'
        ? row.allowedDecisions.map((decision) => (
            <button key={decision} data-testid={`approval-${decision}`} onClick={() => client.decide(row, decision)}>
              {WORDS[decision]}
            </button>
          ))
        : row.outcome ?? row.state}
      {/* Someone was first, or the request has changed since: the answer says which. */}
      {row.local?.error && <p role="alert">{row.local.error.message}</p>}
    </li>
  );
}
