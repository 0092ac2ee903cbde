// A TCP proxy in front of the hub that knows which connections are the WebSockets of browsers: it counts them, cuts them
// and keeps new ones out, or lets nothing of the hub through them, while pages and their files still load.

import { connect, createServer } from 'node:net';

export class Proxy {
  static async before(port) {
    const proxy = new Proxy(port);
    await new Promise((resolve, reject) => proxy.server.once('error', reject).listen(0, '127.0.0.1', resolve));
    proxy.origin = `http://localhost:${proxy.server.address().port}`;
    return proxy;
  }

  constructor(port) {
    Object.assign(this, { port, open: true, muted: false, lost: '', opened: 0, refused: 0, sockets: new Set(), all: new Set(), frames: '' });
    this.server = createServer((client) => this.accept(client)).unref();
  }

  accept(client) {
    const hub = connect(this.port, '127.0.0.1');
    const pair = { client, hub };
    this.all.add(pair);
    const end = () => {
      client.destroy();
      hub.destroy();
      this.all.delete(pair);
      this.sockets.delete(pair);
    };
    for (const side of [client, hub]) side.on('error', end).on('close', end);
    client.on('data', (data) => {
      if (/^GET \/ws[ ?]/.test(data.toString('latin1'))) {
        if (!this.open) {
          this.refused += 1;
          return end();
        }
        this.opened += 1;
        this.sockets.add(pair);
      }
      hub.write(data);
    });
    hub.on('data', (data) => {
      if (this.muted && this.sockets.has(pair)) return void (this.lost += data.toString('latin1'));
      // What the hub says is neither masked nor compressed.
      if (this.sockets.has(pair)) this.frames += data.toString('latin1');
      client.write(data);
    });
  }

  /** How many frames of a type the hub sent since the last call of `forget`. */
  count(type) {
    return this.frames.split(`{"type":"${type}"`).length - 1;
  }

  forget() {
    this.frames = '';
  }

  /** Ends the WebSockets that are open. */
  cut() {
    for (const { client } of this.sockets) client.destroy();
  }

  close() {
    for (const { client } of this.all) client.destroy();
    this.server.close();
  }
}
