<?php

declare(strict_types=1);

namespace Msab\Laravel\Generator;

/** Pieces of PHP. */
final class Code
{
    /**
     * A docblock, its text filled to 100 columns.
     *
     * @param  list<string>  $paragraphs  an empty one separates; one that begins with `@` isn't filled
     */
    public static function comment(array $paragraphs, string $indent = ''): string
    {
        $lines = [];
        foreach ($paragraphs as $paragraph) {
            $text = str_starts_with($paragraph, '@') ? $paragraph : wordwrap($paragraph, 97 - strlen($indent));
            array_push($lines, ...explode("\n", $text));
        }
        $lines = array_map(fn (string $line) => rtrim("$indent * $line"), $lines);

        return "$indent/**\n".implode("\n", $lines)."\n$indent */\n";
    }

    /** @param  array<string, string|null>  $arguments by name; null: left out */
    public static function arguments(array $arguments): string
    {
        $parts = [];
        foreach ($arguments as $name => $value) {
            if ($value !== null) {
                $parts[] = "$name: $value";
            }
        }

        return implode(', ', $parts);
    }

    /** @param  list<string>  $statements */
    public static function body(array $statements): string
    {
        return implode('', array_map(fn (string $line) => $line === '' ? "\n" : "        $line\n", $statements));
    }
}
