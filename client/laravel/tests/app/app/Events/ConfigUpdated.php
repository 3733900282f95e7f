<?php

namespace App\Events;

use Illuminate\Foundation\Events\Dispatchable;

/** An administrator changed a part of the configuration. */
final readonly class ConfigUpdated
{
    use Dispatchable;

    public function __construct(
        public string $part,
        public ?string $version = null,
    ) {}
}
