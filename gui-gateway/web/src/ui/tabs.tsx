// Tabs: arrow keys, Home and End move between them; what is not shown stays as it is.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

export interface Tab { name: string; text: string; count?: number; body: () => ComponentChildren }

const MOVES: Record<string, (at: number, n: number) => number> = {
    ArrowRight: (at, n) => (at + 1) % n,
    ArrowLeft: (at, n) => (at + n - 1) % n,
    Home: () => 0,
    End: (_, n) => n - 1,
};

export function Tabs({ label, tabs }: { label: string; tabs: Tab[] }) {
    const [wanted, setWanted] = useState("");
    const [seen, setSeen] = useState(new Set<string>()); /* asked for at least once: only those are drawn */
    const shown = tabs.find((tab) => tab.name === wanted) ?? tabs[0];
    if (!shown)
        return null;

    const show = (name: string) => {
        setWanted(name);
        setSeen(new Set(seen).add(shown.name).add(name));
    };
    const onKey = (event: KeyboardEvent) => {
        const to = MOVES[event.key]?.(tabs.indexOf(shown), tabs.length);
        if (to === undefined)
            return;
        event.preventDefault();
        show(tabs[to]!.name);
        document.getElementById(`tab-${tabs[to]!.name}`)?.focus();
    };
    return (
        <div class="tabs">
            <div class="tab-list" role="tablist" aria-label={label} onKeyDown={onKey}>
                {tabs.map((tab) => (
                    <button
                        key={tab.name}
                        id={`tab-${tab.name}`}
                        type="button"
                        role="tab"
                        aria-selected={tab === shown}
                        aria-controls={`panel-${tab.name}`}
                        tabIndex={tab === shown ? 0 : -1}
                        data-testid={`tab-${tab.name}`}
                        onClick={() => show(tab.name)}
                    >
                        {tab.text}{tab.count !== undefined && <span class="tab-count">{tab.count}</span>}
                    </button>
                ))}
            </div>
            {tabs.map((tab) => (
                <div key={tab.name} id={`panel-${tab.name}`} class="panel" role="tabpanel" aria-labelledby={`tab-${tab.name}`} hidden={tab !== shown}>
                    {(tab === shown || seen.has(tab.name)) && tab.body()}
                </div>
            ))}
        </div>
    );
}
