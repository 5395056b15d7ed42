/** What readers have a right to: to leave, to know who writes and why, and the same words as plain text. */
import { wordsIn } from '../render/document.ts';
import { languageOf } from '../render/words.ts';
import { type Check, type Context, type Found, OWN_PAGE } from './check.ts';
import { inHead, inTemplate, placeOf, quoted } from './place.ts';

const SETTINGS = 'config/newsletter.yaml';
const CAN_SPAM = 'https://www.ecfr.gov/current/title-16/section-316.5';
const ORDER_38 = 'https://www.cac.gov.cn/';

export const DUTY_CHECKS: Check[] = [
  {
    id: 'unsubscribe-missing',
    severity: 'error',
    reason:
      'Who cannot leave complains instead, and after three complaints in a thousand Gmail refuses all.',
    source: 'D-11',
    url: 'https://support.google.com/mail/answer/81126',
    find: (context) => {
      const link = context.html.elements.find(
        ({ tag, attributes }) => tag === 'a' && attributes.href === context.unsubscribeUrl,
      );
      const found: Found[] = [];
      const hint = "Put {{slot 'unsubscribe'}} where a link's address stands.";
      if (!link || wordsIn(link).trim() === '')
        found.push({ message: 'The HTML has no link to unsubscribe', ...main(context), hint });
      if (!context.plain.includes(context.unsubscribeUrl))
        found.push({ message: 'The text part has no link to unsubscribe', ...main(context), hint });
      return found;
    },
  },
  {
    id: 'unsubscribe-fails',
    severity: 'error',
    reason:
      'The link was tried as mailbox providers do, on a server of your own pages, and did not work.',
    source: 'D-05',
    url: 'https://www.rfc-editor.org/rfc/rfc8058#section-3.2',
    find: ({ unsubscribeProblems = [] }) =>
      unsubscribeProblems.map((message) => ({
        message,
        file: 'templates/pages/unsubscribe.hbs',
        hint: 'Look at the pages in templates/pages.',
      })),
  },
  {
    id: 'unsubscribe-names-reader',
    severity: 'error',
    reason: 'Links are forwarded and logged; an address in them is known to everybody on the way.',
    source: 'D-08',
    url: 'https://www.rfc-editor.org/rfc/rfc8058#section-3.1',
    find: (context) =>
      /@|%40/i.test(context.unsubscribeUrl)
        ? [
            {
              message: `The unsubscribe link ${context.unsubscribeUrl} holds an address`,
              file: SETTINGS,
            },
          ]
        : [],
  },
  {
    id: 'text-incomplete',
    severity: 'error',
    reason: 'Who reads plain text gets the same issue, with every link.',
    source: 'H-21',
    url: 'https://www.rfc-editor.org/rfc/rfc2046#section-5.1.4',
    find: (context) => {
      const missing = context.html.elements.filter(({ tag, attributes: { href } }) => {
        if (tag !== 'a' || !href || href.startsWith('#')) return false;
        const address = href.replace(/^mailto:/i, '');
        // Places in the web version: the text has the whole of it.
        const page = address.replace(/#.*/, '');
        return (
          !context.plain.includes(address) &&
          !(page !== '' && page === webUrl(context) && context.plain.includes(page))
        );
      });
      return missing.map((element) => ({
        message: `The text part lacks the link ${element.attributes.href} of ${quoted(wordsIn(element))}`,
        ...placeOf(context, element),
        hint: 'Print it in the template of the text part: {{url}}.',
      }));
    },
  },
  {
    id: 'footer-incomplete',
    severity: 'error',
    reason:
      'The law of several countries asks for name, sender, contact and the reason why somebody gets it.',
    source: 'D-74',
    url: OWN_PAGE,
    find: (context) => {
      const { name, sender } = context.settings;
      const html = squeezed(context.html.elements[0] ? wordsIn(context.html.elements[0]) : '');
      const wanted: [string, string][] = [
        ['the name of the newsletter', name],
        ['the name of the sender', sender.name],
        ['the address of the sender', sender.address],
        ['the address for answers', sender.replyTo ?? sender.address],
        ['the postal address', sender.postalAddress ?? ''],
      ];
      return wanted.flatMap(([what, words]) => {
        const parts = [
          html.includes(squeezed(words)) ? '' : 'HTML',
          squeezed(context.plain).includes(squeezed(words)) ? '' : 'text part',
        ].filter(Boolean);
        if (words === '' || parts.length === 0) return [];
        return [
          {
            message: `The ${parts.join(' and the ')} does not give ${what} (${words})`,
            ...(inTemplate(context, 'sender.') ?? main(context)),
            hint: 'See templates/partials/footer.hbs as Broadsheet ships it.',
          },
        ];
      });
    },
  },
  {
    id: 'postal-address',
    severity: 'warning',
    reason:
      'Advertising mail has to name a postal address (CAN-SPAM); for others it is good manners.',
    source: 'D-71',
    url: CAN_SPAM,
    find: ({ settings: { commercial, sender } }) =>
      sender.postalAddress?.trim()
        ? []
        : [
            {
              severity: commercial ? ('error' as const) : ('warning' as const),
              message: 'There is no postal address in the settings',
              file: SETTINGS,
              hint: 'Write it as sender.postalAddress; a post office box will do.',
            },
          ],
  },
  {
    id: 'commercial-subject',
    severity: 'error',
    reason:
      'In China the subject of advertising mail has to begin with 广告 or AD (order 38 of 2006, article 13).',
    source: 'D-50',
    url: ORDER_38,
    find: (context) => {
      const { email, issue, settings } = context;
      if (!settings.commercial || languageOf(issue.language) !== 'zh') return [];
      if (/^\s*[[【(（]?\s*(广告|AD)(?![a-z])/i.test(email.subject)) return [];
      return [
        {
          message: `The subject ${quoted(email.subject)} does not say that it advertises`,
          ...inHead(context, 'subject'),
          hint: 'Begin it with 广告, or take "commercial" out of the settings.',
        },
      ];
    },
  },
];

/** The web version as this mail names it. */
function webUrl({ message }: Context): string {
  const field = message.fields.find(({ name }) => name.toLowerCase() === 'archived-at');
  return field?.value.replace(/^<|>$/g, '') ?? '';
}

function main({ templates }: Context): Pick<Found, 'file'> {
  return { file: templates[0]?.file };
}

function squeezed(text: string): string {
  return text.replace(/\s/g, '');
}
