// A comparison, drawn: what came in its writer's colour, what went struck out. Equal stretches are folded to one line.
import type { ComponentChildren } from "preact";
import { colourOf } from "../lib/people";
import type { Block, Comparison, Part, Value } from "../lib/versions";

const VALUE_MOST = 300;

const colour = (user: string | null | undefined) => (element: HTMLElement | null) =>
    void (user && element?.style.setProperty("--person", colourOf(user)));

const marksOf = (part: Part) => Object.keys({ ...part.marks }).filter((mark) => /^(bold|italic|underline|strike|code)$/.test(mark));

const formatOf = (part: Part) => {
    const names = (marks: Record<string, unknown> = {}) => Object.keys(marks).filter((m) => marks[m] !== null);
    const on = names(part.new).filter((m) => !names(part.old).includes(m));
    const off = names(part.old).filter((m) => !names(part.new).includes(m));
    const said = [on.length && `now ${on.join(", ")}`, off.length && `no longer ${off.join(", ")}`].filter(Boolean);
    return said.join("; ") || "formatted otherwise";
};

function PartView({ part }: { part: Part }) {
    const text: ComponentChildren = part.text ?? <span class="change-object">{part.object?.name ?? "object"}</span>;
    const marks = marksOf(part).map((mark) => `mark-${mark}`).join(" ");
    if (part.op === "insert")
        return <ins ref={colour(part.by)} class={marks} data-by={part.by ?? ""} title={`Written by ${part.by ?? "somebody"}`}>{text}</ins>;
    if (part.op === "delete")
        return <del class={marks} title="Deleted">{text}</del>;
    if (part.op === "format")
        return <span class="change-format" title={formatOf(part)}>{text}</span>;
    return <span class={marks}>{text}</span>;
}

const HEADING = /^heading$/i;
const tagOf = (block: Block) => {
    const level = Number(block.values?.level ?? 2);
    if (HEADING.test(block.type ?? ""))
        return level === 1 ? "h1" : level === 3 ? "h3" : "h2";
    return /code/i.test(block.type ?? "") ? "pre" : "p";
};
const kindOf = (block: Block) =>
    (block.within ?? []).some((name) => /list/i.test(name)) ? "item" : (block.within ?? []).some((name) => /quote/i.test(name)) ? "quote" : "";

function show(value: unknown): string {
    const text = JSON.stringify(value) ?? "";
    return text.length > VALUE_MOST ? `${text.slice(0, VALUE_MOST)}…` : text;
}

function Equal({ block }: { block: Block }) {
    const n = block.count ?? 1;
    return (
        <p class="change-equal">
            {n === 1 ? "1 paragraph unchanged" : `${n} paragraphs unchanged`}
            {block.first && <span class="change-first"> {block.first}{n > 1 && block.last ? ` … ${block.last}` : ""}</span>}
        </p>
    );
}

function BlockView({ block }: { block: Block }) {
    if (block.status === "equal")
        return <Equal block={block} />;
    const Tag = tagOf(block);
    const turned = block.oldType ? `was ${block.oldType}` : (block.attributes ?? []).map((a) => `${a.path.join(".")}: ${show(a.old)} → ${show(a.new)}`).join(", ");
    return (
        <div class="change-block" data-status={block.status} data-kind={kindOf(block)}>
            {turned && <span class="change-note">{block.type}, {turned}</span>}
            <Tag>
                {(block.parts ?? []).map((part, i) => <PartView key={i} part={part} />)}
                {(block.parts ?? []).length === 0 && <span class="change-object">{block.type === "paragraph" ? "empty line" : block.type}</span>}
            </Tag>
        </div>
    );
}

function ValueView({ value }: { value: Value }) {
    return (
        <div class="change-value" data-status={value.status}>
            <code>{value.path.join(" › ")}</code>{" "}
            {value.blocks?.map((block, i) => <BlockView key={i} block={block} />)}
            {!value.blocks && value.status !== "added" && <del title="Deleted">{show(value.old)}</del>}{" "}
            {!value.blocks && value.status !== "removed"
                && <ins ref={colour(value.by)} title={`Written by ${value.by ?? "somebody"}`}>{show(value.new)}</ins>}
        </div>
    );
}

const words = (n: number) => `${n} ${n === 1 ? "word" : "words"}`;

export function Changes({ comparison }: { comparison: Comparison }) {
    const { inserted, deleted } = comparison.totals.words;
    const roots = comparison.roots.filter((root) => root.status !== "equal");
    if (!comparison.changed)
        return <p class="change-none" data-testid="history-same">Nothing has changed between these two.</p>;
    return (
        <div class="changes" data-testid="history-changes">
            <p class="change-sum">
                <span>{words(inserted)} came, {words(deleted)} went</span>
                {comparison.users.map((entry) => (
                    <span key={entry.user ?? ""} class="change-person" ref={colour(entry.user)}>{entry.user ?? "Somebody"}</span>
                ))}
            </p>
            {comparison.truncated && <p class="change-note">There is more than can be shown here.</p>}
            {roots.map((root) => (
                <section key={root.name} class="prose change-root" aria-label={`Changes${roots.length > 1 ? ` in ${root.name}` : ""}`}>
                    {roots.length > 1 && <h3 class="change-name">{root.name}</h3>}
                    {root.blocks?.map((block, i) => <BlockView key={i} block={block} />)}
                    {root.values?.map((value, i) => <ValueView key={i} value={value} />)}
                </section>
            ))}
        </div>
    );
}
