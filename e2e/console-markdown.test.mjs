// Markdown as nodes: what each mark becomes, that a text which grows only ever goes on, and that no text stops the page.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { previewRoom } from './harness/preview.mjs';

const { open } = previewRoom();

/** Shows texts one after the other in one container and gives what each looks like. */
async function shown(t, texts, growing = false) {
  const page = await open(t, 'talk');
  return page.evaluate(async ([all, last]) => {
    const { showMarkdown } = await import('./markdown.js');
    const container = document.createElement('div');
    return all.map((text, at) => {
      showMarkdown(container, text, last && at < all.length - 1);
      return { html: container.innerHTML, text: container.textContent };
    });
  }, [texts, growing]);
}

test('a head is one line without marks', async (t) => {
  const table = [
    ['## Three that fit:\n\n| walk | hours |\n|---|:--|\n| North shore | 2:30 |\n| Mill cr', 'Three that fit: walk, hours; North shore, 2:30; Mill cr;'],
    ['**ls** | `grep` | wc', 'ls | grep | wc'],
    ['- one\n- [two](https://example.com)\n> three', 'one two three'],
  ];
  const page = await open(t, 'talk');
  const found = await page.evaluate(async (sources) => {
    const { plain } = await import('./words.js');
    return sources.map(plain);
  }, table.map(([source]) => source));
  assert.deepEqual(found, table.map(([, line]) => line));
});

test('marks become what they mean, and what is no mark stays', async (t) => {
  const table = [
    ['**bold** and *slanted* and ~~gone~~', '<div class="block"><strong>bold</strong> and <em>slanted</em> and <s>gone</s></div>'],
    ['`a * b` and ``a ` b``', '<div class="block"><code>a * b</code> and <code>a ` b</code></div>'],
    ['2*3*4, snake_case_name, **kwargs', '<div class="block">2*3*4, snake_case_name, **kwargs</div>'],
    ['[site](https://example.com/a_(b)) [1] [no](javascript:alert(1))', '<div class="block"><a href="https://example.com/a_(b)" target="_blank" rel="noopener noreferrer">site</a> [1] [no](javascript:alert(1))</div>'],
    ['see https://example.com/x.', '<div class="block">see <a href="https://example.com/x" target="_blank" rel="noopener noreferrer">https://example.com/x</a>.</div>'],
    ['<img src=x onerror=alert(1)>', '<div class="block">&lt;img src=x onerror=alert(1)&gt;</div>'],
    ['## Head', '<div class="block heading" role="heading" aria-level="4">Head</div>'],
    ['---', '<hr>'],
    ['> said', '<blockquote>said</blockquote>'],
    ['- [x] done\n- open', '<ul><li data-depth="0" data-mark="☑">done</li><li data-depth="0" data-mark="•">open</li></ul>'],
    ['| a | b |\n|--:|:-:|\n| 1 | 2 |', '<div class="table"><table><thead><tr><th data-side="end">a</th><th data-side="center">b</th></tr></thead><tbody><tr><td data-side="end">1</td><td data-side="center">2</td></tr></tbody></table></div>'],
    ['a | b\nno table', '<div class="block">a | b\nno table</div>'],
  ];
  const found = await shown(t, table.map(([source]) => source));
  assert.deepEqual(found.map(({ html }) => html.replaceAll(' tabindex="0"', '')), table.map(([, html]) => html));
});

test('a code block has its language and its lines as they are', async (t) => {
  const [{ html, text }] = await shown(t, ['```rust\nfn main() {}\n\n// **no**\n```']);
  assert.match(html, /data-language="rust"/);
  assert.match(html, /<code>fn main\(\) \{\}\n\n\/\/ \*\*no\*\*<\/code>/);
  assert.equal(text, 'fn main() {}\n\n// **no**');
});

test('a text that is being written only ever goes on, character by character', async (t) => {
  const source = `First **bold words** and \`code\` and ~~gone~~.

## What [the site](https://example.com/a) says

1. one **strong** item
2. two with ![a picture](https://example.com/p.png)
   and its second line

- [x] done
- open [1]

> quoted *words*

| a | **b** |
|---|:-:|
| 1 | \`2\` |

\`\`\`js
const a = '**';
\`\`\`

The end, 2 * 3 = 6.`;
  const prefixes = Array.from({ length: source.length + 1 }, (_, at) => source.slice(0, at));
  const texts = (await shown(t, prefixes, true)).map(({ text }) => text);
  const rewritten = texts.flatMap((text, at) => (at > 0 && !text.trimEnd().startsWith(texts[at - 1].trimEnd()) ? [[texts[at - 1].slice(-30), text.slice(-30)]] : []));
  assert.deepEqual(rewritten, []);
  const [whole] = await shown(t, [source]);
  assert.equal(texts.at(-1), whole.text);
});

test('no text stops the page: twice the text takes about twice the time', async (t) => {
  const page = await open(t, 'talk');
  const ratios = await page.evaluate(async () => {
    const { showMarkdown } = await import('./markdown.js');
    const hostile = {
      'a code fence that is none': (n) => '```' + 'a'.repeat(n) + '`',
      'a tilde fence that is none': (n) => '~'.repeat(n) + '`',
      'a fence of spaces': (n) => '```' + ' '.repeat(n) + '`',
      brackets: (n) => '['.repeat(n),
      'brackets with words': (n) => '[a '.repeat(n / 3),
      backticks: (n) => '`'.repeat(n) + 'a',
      stars: (n) => '**a '.repeat(n / 4) + '*',
      'single stars': (n) => ' *a'.repeat(n / 3),
      tildes: (n) => '~~a'.repeat(n / 3),
      addresses: (n) => 'http://.'.repeat(n / 8),
      'a table of spaces': (n) => 'a | b\n' + ' '.repeat(n) + 'x',
      'a rule that is none': (n) => '- '.repeat(n / 2) + 'x',
    };
    const took = (text, growing) => {
      const container = document.createElement('div');
      const begun = performance.now();
      showMarkdown(container, text, growing);
      return performance.now() - begun;
    };
    // By turns: what else the machine does meets both.
    const ratio = (long, short, growing) => {
      const runs = Array.from({ length: 7 }, () => [long, short].map((text) => took(text, growing)));
      const [slow, fast] = [0, 1].map((of) => Math.min(...runs.map((run) => run[of])));
      return (slow + 3) / (fast + 3);
    };
    return Object.entries(hostile).flatMap(([name, make]) => [false, true].map((growing) => [name, growing, ratio(make(120_000), make(30_000), growing)]));
  });
  // Four times the text: sixteen times the time is what a text that is read again and again takes.
  assert.deepEqual(ratios.filter(([, , ratio]) => ratio > 8), []);
});
