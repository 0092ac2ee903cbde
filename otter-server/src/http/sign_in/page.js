// Reads the token from the fragment, which never leaves the browser, and uses it only when the button is pressed.

const token = new URLSearchParams(location.hash.slice(1)).get('t') ?? '';
// Neither the history nor a copied address keeps the token.
history.replaceState(null, '', location.pathname);

const part = (id) => document.getElementById(id);
const form = part('form');

const WORDS = {
  setup: ['Welcome to Otter', 'You are about to become the owner of this hub.', 'Set up Otter'],
  invite: ['You are invited', 'You are about to join this Otter hub.', 'Join'],
  signIn: ['Welcome back', 'You are about to sign in to this Otter hub.', 'Sign in'],
};

function say(title, text) {
  part('title').textContent = title;
  part('text').textContent = text;
}

async function post(path, body) {
  const answer = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const json = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(json.message ?? `the hub answered ${answer.status}`);
  return json;
}

function failed(error) {
  form.hidden = true;
  const words = error instanceof TypeError ? 'the hub does not answer; try again' : error.message;
  say('This did not work', `${words[0].toUpperCase()}${words.slice(1)}.`);
}

async function offer() {
  if (!token) {
    say('Sign in', 'Open the link that the hub printed, or the invitation you were sent.');
    return;
  }
  const { purpose, name } = await post('auth/link', { token });
  const [title, text, button] = WORDS[purpose] ?? WORDS.signIn;
  say(title, text);
  part('confirm').textContent = button;
  part('name').value = purpose === 'setup' ? '' : name;
  part('name').placeholder = name;
  part('name-label').hidden = purpose === 'signIn';
  form.hidden = false;
  (purpose === 'signIn' ? part('confirm') : part('name')).focus();
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  part('confirm').disabled = true;
  try {
    await post('auth/confirm', { token, name: part('name').value });
    location.replace('./');
  } catch (error) {
    failed(error);
  }
});

offer().catch(failed);
