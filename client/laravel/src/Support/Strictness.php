<?php

declare(strict_types=1);

namespace Msab\Laravel\Support;

use Illuminate\Contracts\Config\Repository;
use Illuminate\Contracts\Foundation\Application;

/** Whether what breaks the contract throws, or is reported and dropped (`msab.strict`). */
final class Strictness
{
    public function __construct(
        private readonly Repository $config,
        private readonly Application $app,
    ) {}

    public function isOn(): bool
    {
        $strict = $this->config->get('msab.strict');

        // An empty MSAB_STRICT= says nothing either.
        return $strict === null || $strict === '' ? ! $this->app->environment('production') : (bool) $strict;
    }
}
