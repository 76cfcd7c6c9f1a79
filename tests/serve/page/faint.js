// Every text in sight whose colour doesn't stand out from what is behind it as WCAG 2.2 AA asks (success
// criterion 1.4.3: 4.5 : 1, large text 3 : 1).
() => {
  const pen = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const over = (below, colour) => {
    pen.fillStyle = `rgb(${below})`;
    pen.fillRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => {
    const [r, g, b] = rgb
      .map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const all = [];
    for (let one = element; one; one = one.parentElement) all.unshift(getComputedStyle(one).backgroundColor);
    return all.reduce(over, [255, 255, 255]);
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    if (element.matches(":disabled") || element.closest(".unseen, .badge, .skip, .step")) continue;
    const style = getComputedStyle(element);
    const below = behind(element);
    const [high, low] = [light(over(below, style.color)), light(below)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    const large =
      parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5))
      faint.push(`${element.className || element.tagName} “${element.textContent}” ${ratio.toFixed(2)}`);
  }
  return faint;
};
