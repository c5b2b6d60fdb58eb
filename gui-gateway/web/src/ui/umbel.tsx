// The mark (an umbel: stalks that rise from one point) and the larger drawing made by the same rule.

export function Mark() {
    return (
        <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
            <path
                class="mark-stalk"
                d="M16 30v-8M16 22Q9 18.500 5 12.500M16 22Q12.500 14 10.300 7.500M16 22V5.500M16 22q3.500-8 5.700-14.500M16 22q7-3.500 11-9.500"
            />
            <g class="mark-flower">
                <circle cx="4.600" cy="11.600" r="2.600" />
                <circle cx="10" cy="6.400" r="2.600" />
                <circle cx="16" cy="4.200" r="2.600" />
                <circle cx="22" cy="6.400" r="2.600" />
                <circle cx="27.400" cy="11.600" r="2.600" />
            </g>
        </svg>
    );
}

interface Point {
    x: number;
    y: number;
}

const round = (n: number) => Math.round(n * 10) / 10;

/** N ends of rays from FROM, fanned by SPREAD radians around upright; the middle ones reach furthest. */
function fan(from: Point, n: number, spread: number, reach: number, lean = 0): Point[] {
    return Array.from({ length: n }, (_, i) => {
        const at = n === 1 ? 0 : (i / (n - 1)) * 2 - 1;
        const angle = lean + at * spread;
        const length = reach * (1 - 0.16 * at * at);
        return { x: round(from.x + Math.sin(angle) * length), y: round(from.y - Math.cos(angle) * length) };
    });
}

/** A stalk bends: it leaves the root steeply and turns outwards. */
function stalk(from: Point, to: Point): string {
    const bend = { x: round(from.x + (to.x - from.x) * 0.34), y: round(from.y + (to.y - from.y) * 0.62) };
    return `M${from.x} ${from.y}Q${bend.x} ${bend.y} ${to.x} ${to.y}`;
}

const ROOT: Point = { x: 200, y: 262 };
const RAYS = fan(ROOT, 13, 1.22, 196);
const CLUSTERS = RAYS.map((ray) => ({ ray, ends: fan(ray, 7, 1.3, 30, (ray.x - ROOT.x) / 210) }));

/** Decoration only. */
export function Umbel() {
    return (
        <svg class="umbel" viewBox="0 0 400 440" aria-hidden="true" focusable="false">
            <path class="umbel-stem" d="M200 262C201 330 196 380 186 440" />
            <path class="umbel-leaf" d="M196 352c26-4 44-20 60-46-34 2-54 16-60 46ZM192 396c-24-6-40-20-52-42 30 2 48 16 52 42Z" />
            {CLUSTERS.map(({ ray, ends }) => (
                <g key={ray.x}>
                    <path class="umbel-ray" d={stalk(ROOT, ray)} />
                    <path class="umbel-raylet" d={ends.map((end) => stalk(ray, end)).join("")} />
                    {ends.map((end, i) => (
                        <circle key={i} class={i % 3 === 1 ? "umbel-bud" : "umbel-flower"} cx={end.x} cy={end.y} r={i % 2 ? 3.6 : 4.6} />
                    ))}
                </g>
            ))}
        </svg>
    );
}
