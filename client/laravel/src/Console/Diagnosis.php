<?php

declare(strict_types=1);

namespace Msab\Laravel\Console;

use Illuminate\Console\View\Components\Factory;

/** What `msab:doctor` finds, line by line. */
final class Diagnosis
{
    private bool $ill = false;

    public function __construct(private readonly Factory $components) {}

    public function good(string $what, string $found): void
    {
        $this->line($what, $found, 'green');
    }

    /** Neither good nor bad: to be known. */
    public function note(string $what, string $found): void
    {
        $this->line($what, $found, 'yellow');
    }

    /** Keeps events, tokens or gifts from arriving. */
    public function bad(string $what, string $found): void
    {
        $this->ill = true;
        $this->line($what, $found, 'red');
    }

    public function isIll(): bool
    {
        return $this->ill;
    }

    private function line(string $what, string $found, string $colour): void
    {
        $this->components->twoColumnDetail($what, "<fg=$colour>$found</>");
    }
}
