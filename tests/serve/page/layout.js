// Rows as the page would lay out 100,000 pictures: what is wrong with them, in words.
async () => {
  const { laidOut, shape } = await import("./page/rows.js");
  const ratios = Array.from({ length: 100000 }, (_, at) => [150, 67, 133, 0, 300, 20][(at * 7) % 6]);
  const sections = [0, 1, 40, 70000].map((start) => ({ key: "", title: "May", start }));
  const measures = { width: 1200, rowHeight: 200, gap: 4, heading: 50 };
  const { rows, blocks, height } = laidOut(ratios, sections, measures);
  const wrong = [];
  let next = 0;
  let below = 0;
  for (const row of rows) {
    if (row.first !== next || row.end <= row.first) wrong.push(`${next} is in no row`);
    if (row.top < below) wrong.push(`${row.first} lies upon the row above`);
    let wide = 4 * (row.end - row.first - 1);
    for (let at = row.first; at < row.end; at += 1) wide += shape(ratios[at]) * row.height;
    const last = sections.some(({ start }) => start === row.end) || row.end === ratios.length;
    if (wide > 1200.01 || (!last && wide < 1199.99)) wrong.push(`${row.first} is ${wide} wide`);
    if (row.height < 100 || row.height > 420) wrong.push(`${row.first} is ${row.height} high`);
    next = row.end;
    below = row.top + row.height;
  }
  if (next !== ratios.length || below > height || blocks.length !== 4) wrong.push("the end");
  return wrong;
};
