// A round button that shows an icon alone; its label is read out and shown as a tooltip.
import type { JSX } from "preact";
import { Icon, type IconName } from "./icons";

type Props = Omit<JSX.ButtonHTMLAttributes<HTMLButtonElement>, "label" | "icon"> & { icon: IconName; label: string };

export function IconButton({ icon, label, class: extra, ...rest }: Props) {
    return (
        <button type="button" class={`icon-button ${extra ?? ""}`} aria-label={label} title={label} {...rest}>
            <Icon name={icon} />
        </button>
    );
}
