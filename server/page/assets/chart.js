// Draws the days of a month as bars, from the numbers in data-days.
"use strict";

for (const element of document.querySelectorAll(".chart")) {
  const totals = JSON.parse(element.dataset.days);
  const days = totals.map((_, i) => i + 1);
  const style = getComputedStyle(element);
  const size = () => ({ width: element.clientWidth, height: element.clientHeight });
  const label = (value) => value.toLocaleString("en", { notation: "compact" });
  const dim = getComputedStyle(document.body).getPropertyValue("color");
  const axis = { stroke: dim, grid: { show: false }, ticks: { show: false } };
  const chart = new uPlot({
    ...size(),
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false, range: [0.4, days.length + 0.6] }, y: { range: (_, low, high) => [Math.min(0, low), Math.max(high, low + 1)] } },
    axes: [{ ...axis, incrs: [1, 2, 5, 10] }, { ...axis, size: 60, values: (_, values) => values.map(label) }],
    series: [{}, { fill: style.color, stroke: style.color, width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.7] }) }],
  }, [days, totals], element);
  new ResizeObserver(() => chart.setSize(size())).observe(element);
  element.dataset.drawn = "true";
}
