// A link inside the app: a real address, so that it can be opened in a new tab and copied.
import type { ComponentChildren, JSX } from "preact";
import { navigate } from "../lib/router";

type Props = Omit<JSX.AnchorHTMLAttributes<HTMLAnchorElement>, "href"> & {
    href: string;
    children?: ComponentChildren;
};

export function Link({ href, onClick, ...rest }: Props) {
    const go = (event: JSX.TargetedMouseEvent<HTMLAnchorElement>) => {
        onClick?.(event);
        const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
        if (!plain || event.defaultPrevented)
            return;
        event.preventDefault();
        void navigate(href);
    };
    return <a href={href} onClick={go} {...rest} />;
}
