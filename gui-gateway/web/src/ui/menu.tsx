// A button with a list of links below it. Escape and a click elsewhere close it; arrow keys move inside.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Link } from "./link";

export interface MenuItem { text: string; href: string; testid?: string }

export function Menu({ label, items, testid }: { label: ComponentChildren; items: MenuItem[]; testid: string }) {
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
        const links = [...menu.current!.querySelectorAll<HTMLElement>("a")], step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (event.key === "Escape" && menu.current!.open)
            close(true);
        else if (step && menu.current!.open)
            links[(links.indexOf(document.activeElement as HTMLElement) + step + links.length) % links.length]?.focus();
        else
            return;
        event.preventDefault();
    };
    return (
        <details ref={menu} class="menu" data-testid={testid} onKeyDown={onKey}>
            <summary class="button primary">{label}</summary>
            <ul>{items.map((item) => <li key={item.href}><Link href={item.href} data-testid={item.testid}>{item.text}</Link></li>)}</ul>
        </details>
    );
}
