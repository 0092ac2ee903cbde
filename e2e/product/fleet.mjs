// Many machines in one org: three things about each, never one word, and the way out.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { binary } from '../harness/hub.mjs';
import { Instance } from '../harness/instance.mjs';
import { Process } from '../harness/process.mjs';

export const fleet = {
  'three machines are shown with what each says of itself': async (world) => {
    const { owner, ann, hub } = world;
    world.mac = await Instance.connect(hub, { token: hub.addInstance('mac') });
    await world.mac.introduce({ name: 'Juno', version: '2026.8.1' });
    world.server = await Instance.connect(hub, { token: hub.addInstance('server') });
    await world.server.introduce({ name: 'Mailbot' });
    world.mac.signal('org', 'instance.heartbeat', { instanceId: world.mac.id, at: new Date().toISOString(), outbox: { pending: 7, dead: 0 } });
    for (const page of [owner, ann]) {
      await page.openPage('fleet');
      for (const instanceId of [world.instance, world.server.id, world.mac.id]) {
        await page.part('fleet-card', { instanceId, connection: 'online', gateway: 'online' }).waitFor();
      }
      const mac = page.part('fleet-card', { instanceId: world.mac.id });
      await mac.getByText(/2026\.8\.1/).waitFor();
      await mac.locator('[data-fact="Waits to be sent"]').getByText('7').waitFor();
    }
    await world.shoot(owner, 'fleet-desk');
    await world.shoot(ann, 'fleet-phone');
  },

  'a gateway that asks for a pairing is told with the command that allows it': async (world) => {
    const { mac, owner, ann } = world;
    const state = (gateway) => mac.publish([{ kind: 'instance.updated', subject: mac.id, data: { gateway: { since: new Date().toISOString(), ...gateway } } }]);
    await state({ state: 'pairing', requestId: 'req-42', reason: 'pairing required' });
    for (const page of [owner, ann]) {
      await page.part('fleet-card', { instanceId: mac.id, connection: 'online', gateway: 'pairing' }).getByText('openclaw devices approve req-42').waitFor();
    }
    await state({ state: 'online', requestId: null, reason: null });
    await owner.part('fleet-card', { instanceId: mac.id, gateway: 'online' }).waitFor();
  },

  'the link to the hub and the link to the gateway are two things': async (world) => {
    const { owner, bridge, instance } = world;
    await bridge.kill9();
    const card = (states) => owner.part('fleet-card', { instanceId: instance, ...states });
    await card({ connection: 'offline' }).waitFor({ timeout: 30_000 });
    assert.match(await card({}).locator('[data-axis="gateway"]').textContent(), /when last seen/);
    bridge.start();
    await card({ connection: 'online', gateway: 'online' }).waitFor({ timeout: 60_000 });
  },

  'a machine that is removed is cut off and away for everybody': async (world) => {
    const { owner, ann, mac } = world;
    const closed = new Promise((resolve) => mac.socket.once('close', resolve));
    await owner.part('fleet-card', { instanceId: mac.id }).getByRole('button', { name: 'Actions for mac' }).click();
    await owner.page.getByRole('menuitem', { name: /Remove from the org/ }).click();
    await owner.part('remove-name').fill('mac');
    await owner.part('remove-confirm').click();
    for (const page of [owner, ann]) await page.part('fleet-card', { instanceId: mac.id }).waitFor({ state: 'detached' });
    assert.equal(await closed, 4503, 'an end, not a pause');
    await assert.rejects(() => mac.open(), 'its token is worth nothing any more');
  },

  'things of an integrator are listed, its command is carried out, and what it did is told': async (world) => {
    const { owner, hub } = world;
    const args = ['--hub', `ws://127.0.0.1:${hub.port}/ws/openclaw`, '--state-dir', join(world.dir, 'deployer')];
    world.deployer = new Process('deployer', binary('otter-example-deployments'), args, { log: join(world.dir, 'deployer.log'), env: { OTTER_TOKEN: hub.addInstance('deployer') } });
    const found = () => owner.page.evaluate(() => window.otter.instances().get().rows.find(({ name, connection }) => name === 'deployer' && connection === 'online')?.id);
    const id = await owner.until('the deployer is there', found);
    const stage = await owner.page.evaluate((to) => window.otter.command('x.acme.deploy', { instanceId: to, version: '1.8.0' }).done.then(({ state, result }) => ({ state, result })), id);
    assert.deepEqual(stage, { state: 'completed', result: '1.8.0 is live' });
    await owner.goTo('#/fleet/data');
    await owner.part('vendor-table', { type: 'x.acme.deployment' }).getByText('live').first().waitFor();
    await world.shoot(owner, 'fleet-integrator');
    await owner.goTo('#/fleet/activity');
    await owner.page.getByText('Deployed 1.8.0').waitFor();
    await owner.goTo('#/fleet/pushes');
    await owner.page.getByText('acme/shop').first().waitFor();
    await world.deployer.stop('SIGINT');
  },
};
