// One figure with its last minutes as a small chart. Drawn as SVG attributes: the pages allow no inline style.
import type { ComponentChildren } from "preact";

export interface Sample { at: number; value: number }

const W = 200;
const H = 40;
const TOP = 3;
const BASE = H - 1;

const SHORTEST_MS = 30_000;

/** Points of the line, newest at the right edge; the scale begins at 0. */
function pointsOf(samples: Sample[], windowMs: number, highest: number): [x: number, y: number][] {
    const now = samples[samples.length - 1]!.at;
    return samples.map(({ at, value }) => [
        Math.round((1 - (now - at) / windowMs) * W * 10) / 10,
        Math.round((BASE - (highest > 0 ? value / highest : 0) * (BASE - TOP)) * 10) / 10,
    ]);
}

interface Props { label: string; unit: string; samples: Sample[]; windowMs: number; write: (n: number) => string; note?: ComponentChildren }

export function Figure({ label, unit, samples, windowMs, write, note }: Props) {
    const now = samples[samples.length - 1]?.value ?? null;
    const highest = samples.reduce((most, sample) => Math.max(most, sample.value), 0);
    const age = samples.length > 0 ? samples[samples.length - 1]!.at - samples[0]!.at : 0;
    const points = samples.length > 0 ? pointsOf(samples, Math.min(windowMs, Math.max(age, SHORTEST_MS)), highest) : [];
    const line = points.map(([x, y]) => `${x} ${y}`).join("L");
    const text = now === null ? "not known yet" : `now ${write(now)}, at most ${write(highest)} in the last minutes`;
    return (
        <section class="figure" aria-label={label} data-testid={`figure-${unit}`}>
            <h3>{label}</h3>
            <p class="figure-now">{now === null ? "–" : write(now)}</p>
            <p class="figure-most">{now === null ? "" : `at most ${write(highest)}`}</p>
            <svg viewBox={`0 0 ${W} ${H}`} preserveAspectRatio="none" role="img" aria-label={`${label}: ${text}`}>
                <path class="spark-base" d={`M0 ${BASE}H${W}`} />
                {points.length > 1 && <path class="spark-area" d={`M${points[0]![0]} ${H}L${line}L${W} ${H}Z`} />}
                {points.length > 1 && <path class="spark-line" d={`M${line}`} />}
            </svg>
            {note && <p class="figure-note">{note}</p>}
        </section>
    );
}
