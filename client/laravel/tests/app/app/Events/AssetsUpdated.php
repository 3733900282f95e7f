<?php

namespace App\Events;

use Illuminate\Foundation\Events\Dispatchable;

/** An administrator replaced assets. */
final readonly class AssetsUpdated
{
    use Dispatchable;

    public function __construct(
        public array $assetIds,
    ) {}
}
