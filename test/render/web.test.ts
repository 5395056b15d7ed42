import { beforeAll, describe, expect, test } from 'vitest';
import { renderEmail } from '../../src/render/email.ts';
import { neutralHtml } from '../../src/render/web.ts';
import { chineseIssue, imprint, weekly } from './issues.ts';
import { attribute, tagsOf, textOf } from './mail.ts';

describe('W-19: the web version', () => {
  let page: string;
  beforeAll(async () => {
    page = neutralHtml((await renderEmail(chineseIssue(), imprint, weekly)).email);
  });

  test('has no marker and no way to unsubscribe anybody', () => {
    expect(page).not.toMatch(/xslot|tolsx|unsub|退订|网页版|data-personal/);
  });

  test('its contents lead to the items on the page', () => {
    const targets = tagsOf(page, 'a')
      .map((link) => attribute(link, 'href') ?? '')
      .filter((href) => href.startsWith('#'));
    expect(targets).toEqual(['#tensorrt-llm', '#h100', '#rich', '#falcon']);
    for (const target of targets) expect(page).toContain(`id="${target.slice(1)}"`);
  });

  test('says all the rest that the mail says', async () => {
    const { email } = await renderEmail(chineseIssue(), imprint, weekly);
    const words = (html: string) => tagsOf(html, 'body').map(textOf).join('').replace(/\s+/g, '');
    const personal = /您收到这封邮件，是因为您订阅了《AI大模型周报》。|退订·订阅设置·网页版/g;
    expect(words(email.html).match(personal)).toHaveLength(2);
    expect(words(page)).toBe(words(email.html).replace(personal, ''));
    expect(page).toMatch(/^<!DOCTYPE html>/i);
    expect(page).toContain('editor@news.example.com');
  });

  test('is the same again', async () => {
    const { email } = await renderEmail(chineseIssue(), imprint, weekly);
    expect(neutralHtml(email)).toBe(page);
  });

  test('of a template of other make is neutral too: links go, words of a slot go', () => {
    const html =
      '<!doctype html><body><p>Dear xslot-name-1-tolsx,</p><p><a href="xslot-preferences-1-tolsx?x=1">p</a> <a href="xslot-unsubscribe-1-tolsx">u</a> <a href="xslot-web-1-tolsx">w</a></p><!-- xslot-address-1-tolsx --></body>';
    const neutral = neutralHtml({ html });
    expect(neutral).not.toContain('xslot');
    expect(neutral).toContain('<p>Dear ,</p><p>  <a href="">w</a></p>');
  });
});
