// A button with a list of links below it. Escape and a click elsewhere close it; arrow keys move inside.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { IconButton } from "./button";
import { Link } from "./link";

export interface MenuItem { text: string; note?: string | undefined; href: string; testid?: string; onRemove?: (() => void) | undefined }

interface MenuProps {
    label: ComponentChildren;
    items: MenuItem[];
    testid: string;
    look?: string; /* classes of the button */
    title?: string;
    action?: { text: string; testid: string; onClick: () => void } | undefined; /* below the links */
    empty?: string;
}

export function Menu({ label, items, testid, look = "button primary", title, action, empty }: MenuProps) {
    const menu = useRef<HTMLDetailsElement>(null);
    const close = (focus: boolean) => {
        menu.current!.open = false;
        if (focus)
            menu.current!.querySelector("summary")?.focus();
    };
    useEffect(() => {
        const away = (event: Event) => {
            if (menu.current?.open && !menu.current.contains(event.target as Node))
                close(false);
        };
        addEventListener("pointerdown", away);
        return () => removeEventListener("pointerdown", away);
    }, []);
    const onKey = (event: KeyboardEvent) => {
        const stops = [...menu.current!.querySelectorAll<HTMLElement>("a, button")], step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (event.key === "Escape" && menu.current!.open)
            close(true);
        else if (step && menu.current!.open)
            stops[(stops.indexOf(document.activeElement as HTMLElement) + step + stops.length) % stops.length]?.focus();
        else
            return;
        event.preventDefault();
    };
    return (
        <details ref={menu} class="menu" data-testid={testid} onKeyDown={onKey}>
            <summary class={look} title={title}>{label}</summary>
            <div class="menu-list">
                {items.length === 0 && empty && <p class="faint">{empty}</p>}
                <ul>
                    {items.map((item) => (
                        <li key={item.href + item.text}>
                            <Link href={item.href} data-testid={item.testid} onClick={() => close(false)}>
                                {item.text}{item.note && <span class="faint"> {item.note}</span>}
                            </Link>
                            {item.onRemove && <IconButton icon="close" label={`Delete ${item.text}`} data-testid={`${item.testid}-remove`} onClick={item.onRemove} />}
                        </li>
                    ))}
                </ul>
                {action && (
                    <button
                        type="button" class="menu-action" data-testid={action.testid}
                        onClick={() => {
                            close(true);
                            action.onClick();
                        }}
                    >
                        {action.text}
                    </button>
                )}
            </div>
        </details>
    );
}
