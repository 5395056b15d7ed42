// Plots, each with its figures as a table for those who read rather than look.

import { h } from './dom.js';
// @ts-expect-error: it is served from its package.
import uPlot from './uplot.js';
import { count, moment, say } from './words.js';

/** A colour of the paper as it is by this light. @param {string} name such as `--red` */
function colour(name) {
  const probe = h('i');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/**
 * Lines or bars over time.
 * @param {string} title
 * @param {number[]} times ms
 * @param {{ words: string, colour: string, values: number[] }[]} series
 * @param {boolean} [bars]
 * @returns {{ element: HTMLElement, close: () => void }}
 */
export function timePlot(title, times, series, bars = false) {
  const box = h('div', { class: 'plot' });
  const axis = {
    stroke: colour('--grey'),
    grid: { stroke: colour('--rule'), width: 1 },
    ticks: { stroke: colour('--rule'), width: 1 },
  };
  const paths = bars
    ? uPlot.paths.bars?.({ size: [0.9, 24] })
    : uPlot.paths.stepped?.({ align: 1 });
  const options = {
    width: 640,
    height: 220,
    legend: { live: false, show: series.length > 1 },
    cursor: { points: { show: false } },
    axes: [
      axis,
      {
        ...axis,
        size: 56,
        values: (/** @type {any} */ _, /** @type {number[]} */ ticks) =>
          ticks.map((tick) => (Number.isInteger(tick) ? count(tick) : '')),
      },
    ],
    scales: {
      y: {
        range: (/** @type {any} */ _, /** @type {number} */ __, /** @type {number} */ most) => [
          0,
          Math.max(1, most * 1.1),
        ],
      },
    },
    series: [
      {},
      ...series.map(({ words, colour: name }) => ({
        label: words,
        stroke: colour(name),
        fill: bars ? colour(name) : undefined,
        width: 2,
        paths,
        points: { show: !bars && times.length < 3 },
      })),
    ],
  };
  const data = [times.map((time) => time / 1000), ...series.map(({ values }) => values)];
  const plot = new uPlot(/** @type {any} */ (options), /** @type {any} */ (data), box);
  const sizes = new ResizeObserver(
    ([entry]) =>
      entry && plot.setSize({ width: Math.max(240, entry.contentRect.width), height: 220 }),
  );
  sizes.observe(box);
  const rows = times.map((time, at) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, moment(time)),
      ...series.map(({ values }) => h('td', { class: 'number' }, count(values[at] ?? 0))),
    ),
  );
  const table = h(
    'details',
    {},
    h('summary', {}, say.table),
    h(
      'div',
      { class: 'scroll', tabIndex: 0, role: 'region', 'aria-label': title },
      h(
        'table',
        {},
        h(
          'thead',
          {},
          h('tr', {}, h('td', {}), ...series.map(({ words }) => h('th', { scope: 'col' }, words))),
        ),
        h('tbody', {}, ...rows),
      ),
    ),
  );
  return {
    element: h('figure', {}, h('figcaption', {}, title), box, table),
    close() {
      sizes.disconnect();
      plot.destroy();
    },
  };
}
