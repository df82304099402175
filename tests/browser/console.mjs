// The console page as a person uses it: real server, real browser.  usage: node console.mjs BINARY
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { Steward, http } from './server.mjs';

const binary = process.argv[2], shots = process.env.SHOTS;
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'];
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
let passed = 0, failed = 0;

// A page that remembers everything the browser complained about.
async function open(url, options = {}) {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin', viewport: { width: 900, height: 760 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15000);
  page.complaints = [];
  page.on('console', m => { if (m.type() === 'error' || m.type() === 'warning') page.complaints.push(m.text()); });
  page.on('pageerror', e => page.complaints.push(String(e)));
  page.on('dialog', d => { page.complaints.push('dialog: ' + d.message()); d.dismiss(); });
  await page.addInitScript(() => {
    window.violations = [];
    document.addEventListener('securitypolicyviolation', e => window.violations.push(`${e.violatedDirective} ${e.blockedURI}`));
  });
  await page.goto(url);
  return page;
}
// The browser reports connections that failed while the server was down.
const forgiveOutage = page => { page.complaints = page.complaints.filter(c => !/net::ERR_(CONNECTION|INCOMPLETE|EMPTY)/.test(c)); };
const ready = page => page.waitForFunction(() => document.querySelector('#list').ariaBusy === 'false');
const mine = page => page.locator('.row.me .bubble'), bot = page => page.locator('.row:not(.me) .bubble');
async function say(page, words) {
  const before = await bot(page).count();
  await page.fill('#text', words);
  await page.press('#text', 'Enter');
  await page.waitForFunction(n => document.querySelectorAll('.row:not(.me) .bubble').length > n, before);
  return bot(page).last().innerText();
}
const texts = async page => (await page.locator('.row .bubble').allInnerTexts()).map(t => t.replace(/\s*\d\d:\d\d.*$/s, ''));
async function shot(page, name) {
  if (!shots) return;
  mkdirSync(shots, { recursive: true });
  await page.waitForTimeout(250);
  await page.screenshot({ path: join(shots, name + '.png') });
}

const tests = {
  async 'an empty chat tells a newcomer what to type, and the examples can be tapped'({ page }) {
    await page.locator('#empty').waitFor();
    await shot(page, 'empty-light');
    await page.getByRole('button', { name: /buy bread tomorrow/ }).click();
    await bot(page).first().waitFor();
    assert.match(await bot(page).first().innerText(), /bread/i);
    assert.equal(await page.locator('#empty').isVisible(), false);
  },
  async 'a message is answered without a reload and shows once, with a tick'({ page }) {
    await page.evaluate(() => { window.sameDocument = true; });
    const answer = await say(page, '/sleep 7h30');
    assert.match(answer, /7/);
    assert.equal(await page.evaluate(() => window.sameDocument), true);
    assert.equal(await mine(page).filter({ hasText: '/sleep 7h30' }).count(), 1);
    assert.match(await mine(page).last().innerText(), /✓/);
  },
  async 'a button does its work and the message changes'({ page }) {
    await say(page, '/task water the plants');
    const row = page.locator('.row:not(.me)').last();
    await shot(page, 'chat-light');
    const before = (await texts(page)).join('\n') + await row.innerText();
    await row.getByRole('button', { name: /done/i }).click();
    await page.waitForFunction(was => {
      const now = [...document.querySelectorAll('.row .bubble')].map(b => b.innerText.replace(/\s*\d\d:\d\d.*$/s, '')).join('\n');
      return now + document.querySelectorAll('.row:not(.me)')[document.querySelectorAll('.row:not(.me)').length - 1].innerText !== was;
    }, before);
    await say(page, '/tasks');
    assert.doesNotMatch(await bot(page).last().innerText(), /water the plants/);
  },
  async 'a tap that changes nothing says why in a toast'({ page }) {
    const added = await say(page, '/task tapped twice');
    const id = added.match(/ID (\d+)/)[1];
    await say(page, '/tasks');
    const key = await page.locator('.row:not(.me)').last().getByRole('button', { name: new RegExp(`\\b${id}$`) }).elementHandle();
    const before = await page.locator('#list').innerHTML();
    await key.click();
    await page.waitForFunction(was => document.querySelector('#list').innerHTML !== was && !document.querySelector('.keys [aria-busy=true]'), before);
    await key.click();
    await page.locator('#toast').waitFor({ state: 'visible' });
    assert.ok((await page.locator('#toast').innerText()).length > 5);
    await shot(page, 'toast-light');
  },
  async 'an export is a file to download'({ page }) {
    await say(page, '/export');
    const link = page.locator('.bubble a[download]').last();
    await link.waitFor();
    const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
    assert.match(download.suggestedFilename(), /^[\w.-]+$/);
    const text = await (await download.createReadStream()).setEncoding('utf8').toArray();
    assert.match(text.join(''), /"type"/);
  },
  async 'a reload keeps the history and its order'({ page }) {
    const before = await texts(page);
    await page.reload();
    await ready(page);
    assert.deepEqual(await texts(page), before);
  },
  async 'a second page sees the same conversation at once'({ page, url }) {
    const other = await open(url);
    await ready(other);
    await say(page, '/note the spare key is with Anna');
    await other.locator('.row.me .bubble', { hasText: 'spare key' }).waitFor();
    assert.deepEqual(await texts(other), await texts(page));
    await other.context().close();
  },
  async 'markup in a message is text'({ page }) {
    const evil = '<img src=x onerror="alert(1)"> <b>bold?</b> &lt;i&gt; </script>';
    await say(page, '/note ' + evil);
    await page.reload();
    await ready(page);
    assert.ok((await mine(page).last().innerText()).includes(evil));
    assert.equal(await page.locator('.bubble img').count(), 0);
  },
  async 'the page removes what the server should never send'({ url }) {
    const page = await open(url); // of its own: the browser rightly reports what it blocks here
    const left = await page.evaluate(() => {
      const box = document.createElement('div');
      box.append(html('<b onclick="x()">a</b><script>y()</' + 'script><img src=x onerror=z()><a href="javascript:q()">c</a>'
        + '<svg><a href="https://e.example">s</a></svg><a href="https://ok.example/" onclick=w()>d</a><form><u>e</u></form>'));
      return box.innerHTML;
    });
    assert.equal(left, '<b>a</b><a>c</a><a href="https://ok.example/" target="_blank" rel="noopener noreferrer">d</a><u>e</u>');
    await page.context().close();
  },
  async 'slash commands are offered and chosen by keyboard'({ page }) {
    await page.fill('#text', '/');
    await page.locator('#hints li').first().waitFor();
    assert.ok(await page.locator('#hints li').count() >= 8);
    await page.locator('#text').press('t');
    await page.press('#text', 'ArrowDown');
    assert.equal(await page.locator('#hints [aria-selected=true] b').innerText(), '/tasks');
    await shot(page, 'hints-light');
    await page.press('#text', 'Enter');
    assert.equal(await page.inputValue('#text'), '/tasks');
    assert.equal(await page.locator('#hints').isVisible(), false);
    await page.fill('#text', '');
  },
  async 'Shift+Enter makes a line, the field grows, Enter sends'({ page }) {
    await page.fill('#text', '/note first line');
    const small = await page.locator('#text').evaluate(e => e.offsetHeight);
    await page.press('#text', 'Shift+Enter');
    await page.keyboard.type('second line');
    await page.press('#text', 'Shift+Enter');
    assert.equal(await page.inputValue('#text'), '/note first line\nsecond line\n');
    assert.ok(await page.locator('#text').evaluate(e => e.offsetHeight) > small);
    const before = await bot(page).count();
    await page.press('#text', 'Enter');
    await page.waitForFunction(n => document.querySelectorAll('.row:not(.me) .bubble').length > n, before);
    assert.equal(await page.inputValue('#text'), '');
    assert.match(await mine(page).last().innerText(), /first line\nsecond line/);
  },
  async 'a server that goes away is noticed; what was typed meanwhile arrives once'({ page, steward }) {
    assert.equal(await steward.stop(), 0);
    await page.waitForFunction(() => /reconnecting/.test(document.querySelector('#state').textContent));
    const count = await bot(page).count();
    await page.fill('#text', '/task written while it was down');
    await page.press('#text', 'Enter');
    await page.waitForTimeout(1500);
    await page.goto('about:blank'); // even the page itself may be lost: the text is kept
    await steward.start();
    await page.goto(steward.url);
    await page.waitForFunction(n => document.querySelectorAll('.row:not(.me) .bubble').length > n, count);
    assert.match(await bot(page).last().innerText(), /written while it was down/);
    assert.equal(await mine(page).filter({ hasText: 'written while it was down' }).count(), 1);
    assert.equal(await page.locator('#state').innerText(), 'online');
    forgiveOutage(page);
  },
  async 'an open page survives a kill -9 of the server'({ page, steward }) {
    assert.equal(await steward.stop('SIGKILL'), 'SIGKILL');
    await steward.start();
    await page.waitForFunction(() => document.querySelector('#state').textContent === 'online');
    const answer = await say(page, '/tasks');
    assert.match(answer, /bread|written/i);
    forgiveOutage(page);
  },
  async 'dark mode, by the system setting'({ url }) {
    const dark = await open(url, { colorScheme: 'dark' });
    await ready(dark);
    const [r, g, b] = (await dark.evaluate(() => getComputedStyle(document.body).backgroundColor)).match(/\d+/g).map(Number);
    assert.ok(r + g + b < 150);
    await shot(dark, 'chat-dark');
    await dark.context().close();
  },
  async 'a phone: 360 points wide, nothing to scroll sideways'({ url }) {
    for (const colorScheme of ['light', 'dark']) {
      const phone = await open(url, { viewport: { width: 360, height: 700 }, isMobile: true, hasTouch: true, colorScheme });
      await ready(phone);
      await say(phone, '/note a-very-long-word-' + 'x'.repeat(120));
      assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth && document.querySelector('#log').scrollWidth <= innerWidth));
      const box = await phone.locator('#send').boundingBox();
      assert.ok(box.x + box.width <= 360 && box.y + box.height <= 700 && box.width >= 38);
      for (const key of await phone.locator('.keys button').all()) assert.ok((await key.boundingBox()).height >= 36);
      await shot(phone, 'phone-' + colorScheme);
      await phone.context().close();
    }
  },
  async 'assistive technology finds its way'({ page }) {
    assert.equal(await page.getByRole('log').getAttribute('aria-live'), 'polite');
    assert.equal(await page.getByRole('textbox', { name: 'Message' }).count(), 1);
    assert.equal(await page.getByRole('button', { name: 'Send' }).count(), 1);
    await say(page, '/task tapped by keyboard');
    const done = page.locator('.row:not(.me)').last().getByRole('button', { name: /done/i });
    await done.focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => !document.querySelector('.keys [aria-busy=true]'));
    assert.doesNotMatch(await say(page, '/tasks'), /tapped by keyboard/);
  },
  async 'the browser had nothing to complain about'({ page }) {
    assert.deepEqual(page.complaints, []);
    assert.deepEqual(await page.evaluate(() => window.violations), []);
  },
  async 'a rebound DNS name, a proxy and HTTP/1.0-style strangers are refused'({ steward }) {
    const strangers = [{ Host: 'evil.example' }, { Host: `evil.example:${steward.port}` }, { Host: '127.0.0.1.evil.example' },
      { Host: '127.0.0.1', 'X-Forwarded-For': '203.0.113.9' }, { Host: 'localhost', Forwarded: 'for=203.0.113.9' }];
    for (const headers of strangers) {
      for (const path of ['/', '/console/events', '/console/file?id=1']) {
        const reply = await http(steward.port, { path, headers });
        assert.equal(reply.status, 403, `${path} ${JSON.stringify(headers)}`);
        assert.ok(JSON.parse(reply.body).error);
      }
    }
    for (const Host of ['localhost', 'LOCALHOST:80', '127.0.0.1:1', '[::1]:8080'])
      assert.equal((await http(steward.port, { headers: { Host } })).status, 200, Host);
  },
  async 'a post from another origin is refused and leaves nothing'({ page, steward }) {
    const body = JSON.stringify({ id: '11111111-2222-4333-8444-555555555555', text: '/task from another site' });
    const Host = `127.0.0.1:${steward.port}`, json = { 'Content-Type': 'application/json' };
    const own = `http://${Host}`;
    const refused = [[403, { Host, ...json }], [403, { Host, ...json, Origin: 'http://evil.example' }],
      [403, { Host, ...json, Origin: 'null' }], [403, { Host, ...json, Origin: `http://127.0.0.1:${steward.port + 1}` }],
      [403, { Host, ...json, Origin: own, 'Sec-Fetch-Site': 'cross-site' }], [403, { Host, ...json, 'Sec-Fetch-Site': 'same-site' }],
      [403, { Host: 'evil.example', ...json, Origin: 'http://evil.example' }], [415, { Host, Origin: own, 'Content-Type': 'text/plain' }],
      [415, { Host, Origin: own, 'Content-Type': 'application/jsonish' }]];
    for (const [status, headers] of refused)
      assert.equal((await http(steward.port, { method: 'POST', path: '/console/message', headers, body })).status, status, JSON.stringify(headers));
    assert.doesNotMatch(await say(page, '/tasks'), /another site/);
    const twice = { method: 'POST', path: '/console/message', headers: { Host, ...json, Origin: own }, body };
    const before = await bot(page).count();
    assert.equal((await http(steward.port, twice)).status, 202);
    assert.equal((await http(steward.port, twice)).status, 202); // the same id again: no effect
    await page.waitForFunction(n => document.querySelectorAll('.row:not(.me) .bubble').length > n, before);
    const list = await say(page, '/tasks');
    assert.equal(list.split('another site').length, 2);
  },
  async 'bad posts get a sentence'({ steward }) {
    const headers = { Host: 'localhost', 'Content-Type': 'application/json', Origin: 'http://localhost' }, id = 'aaaaaaaa-2222-4333-8444-555555555555';
    const post = (path, body) => http(steward.port, { method: 'POST', path, headers, body: typeof body === 'string' ? body : JSON.stringify(body) });
    for (const [status, path, body] of [[400, '/console/message', '{'], [400, '/console/message', '[]'], [400, '/console/message', { id, text: '  ' }],
      [400, '/console/message', { id: 'x', text: 'a' }], [400, '/console/message', { id: "'; drop table inbox", text: 'a' }],
      [413, '/console/message', { id, text: 'x'.repeat(70000) }], [413, '/console/message', { id, text: 'x'.repeat(1100000) }],
      [400, '/console/tap', { id, message_id: 1, data: 'x'.repeat(65) }], [400, '/console/tap', { id, data: 'done:1' }]]) {
      const reply = await post(path, body);
      assert.equal(reply.status, status, reply.body);
      assert.ok(JSON.parse(reply.body).error.length > 10);
    }
    assert.equal((await http(steward.port, { path: '/console/message', headers })).headers.allow, 'POST');
  },
};

// With a password: the form, the cookie, the limit.
const passwordTests = {
  async 'the password opens the page, a wrong one does not'({ steward }) {
    const page = await open(steward.url);
    await page.getByLabel(/password/i).fill('wrong');
    await page.keyboard.press('Enter');
    await page.locator('#error', { hasText: /not the password/ }).waitFor();
    await shot(page, 'login-light');
    await page.getByLabel(/password/i).fill('correct-horse');
    await page.keyboard.press('Enter');
    await page.locator('#log').waitFor();
    await ready(page);
    await say(page, '/help');
    const [cookie] = await page.context().cookies();
    assert.equal(cookie.httpOnly, true);
    assert.equal(cookie.sameSite, 'Strict');
    await steward.stop();
    await steward.start(); // the session outlives a restart
    await page.goto(steward.url);
    await ready(page);
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel(/password/i).waitFor();
    assert.deepEqual(await page.evaluate(() => window.violations), []);
    await page.context().close();
  },
  async 'guessing is slowed per address, and only there'({ steward }) {
    const guess = (from, password) => http(steward.port, { method: 'POST', path: '/console/login', body: JSON.stringify({ password }),
      headers: { Host: 'home.example', Origin: 'https://home.example', 'Content-Type': 'application/json', 'X-Forwarded-For': from, 'X-Forwarded-Proto': 'https' } });
    for (let i = 0; i < 5; i++) assert.equal((await guess('203.0.113.7', 'guess' + i)).status, 401);
    const slowed = await guess('1.2.3.4, 203.0.113.7', 'correct-horse');
    assert.equal(slowed.status, 429);
    assert.ok(Number(slowed.headers['retry-after']) > 0);
    const other = await guess('203.0.113.8', 'correct-horse');
    assert.equal(other.status, 200);
    assert.match(other.headers['set-cookie'][0], /HttpOnly; SameSite=Strict; .*Secure/);
    const cookie = other.headers['set-cookie'][0].split(';')[0];
    const see = c => http(steward.port, { headers: { Host: 'home.example', Cookie: c } }).then(r => r.status);
    assert.equal(await see(cookie), 200);
    assert.equal(await see(cookie.replace(/=\d/, '=9')), 401); // a later end, an old signature
    assert.equal(await see(cookie.slice(0, -1) + (cookie.endsWith('0') ? '1' : '0')), 401);
    assert.equal(await see('steward_session='), 401);
  },
  async 'without the cookie nothing is shown or taken'({ steward }) {
    const Host = 'home.example', Origin = 'https://home.example';
    assert.equal((await http(steward.port, { headers: { Host: 'localhost' } })).status, 401);
    assert.equal((await http(steward.port, { path: '/console/events', headers: { Host } })).status, 401);
    const body = JSON.stringify({ id: '11111111-2222-4333-8444-666666666666', text: 'hi' });
    const post = { method: 'POST', path: '/console/message', body };
    assert.equal((await http(steward.port, { ...post, headers: { Host, Origin, 'Content-Type': 'application/json' } })).status, 401);
  },
};

async function run(cases, world) {
  for (const [name, test] of Object.entries(cases)) {
    try {
      await test(world);
      passed++;
    } catch (e) {
      failed++;
      console.log(`FAILED ${name}\n  ${String(e.stack ?? e).split('\n').slice(0, 12).join('\n  ')}`);
      if (world.page) await shot(world.page, 'failed-' + failed).catch(() => {});
    }
  }
}

const steward = await new Steward(binary).start();
const page = await open(steward.url);
await ready(page);
await run(tests, { page, steward, url: steward.url });
const guarded = await new Steward(binary, { CONSOLE_PASSWORD: 'correct-horse' }).start();
await run(passwordTests, { steward: guarded });
await browser.close();
for (const s of [steward, guarded]) {
  const code = await s.stop();
  if (code === 0) s.remove();
  else { failed++; console.log(`FAILED steward ended with ${code}; see ${s.dir}/log`); }
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
