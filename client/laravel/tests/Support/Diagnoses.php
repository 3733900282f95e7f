<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Support;

use Illuminate\Console\OutputStyle;
use Illuminate\Console\View\Components\Factory;
use Msab\Laravel\Console\Checkup;
use Msab\Laravel\Console\Diagnosis;
use Symfony\Component\Console\Input\ArrayInput;
use Symfony\Component\Console\Output\BufferedOutput;

/** What one part of `msab:doctor` finds. */
final class Diagnoses
{
    /** @return array{bool, string} whether something is wrong, and what was printed, on one line */
    public static function of(Checkup $checkup, string $relay = 'default'): array
    {
        $output = new BufferedOutput;
        $diagnosis = new Diagnosis(new Factory(new OutputStyle(new ArrayInput([]), $output)));
        $checkup->run($diagnosis, $relay);

        return [$diagnosis->isIll(), trim((string) preg_replace('/[\s.]+/', ' ', $output->fetch()))];
    }
}
