<?php

declare(strict_types=1);

namespace Msab\Laravel\Bench;

/** Two things measured in turn: their medians, and the median of what one is of the other. Microseconds. */
final class Pairs
{
    /** @var list<float> */
    private array $measured = [];

    /** @var list<float> */
    private array $beside = [];

    public function __construct(private readonly string $name, private readonly string $besideName) {}

    public function add(float $measured, float $beside): void
    {
        $this->measured[] = $measured;
        $this->beside[] = $beside;
    }

    /** Of one of both, by its name. */
    public function median(string $name): float
    {
        return self::quantile($name === $this->name ? $this->measured : $this->beside, 0.5);
    }

    /**
     * Prints a line.
     *
     * @param  float|null  $goal  what the ratio may be; null: there is none
     * @return bool whether it is within the goal
     */
    public function report(?float $goal = null): bool
    {
        $ratios = array_map(fn (float $a, float $b): float => $a / $b, $this->measured, $this->beside);
        $ratio = self::quantile($ratios, 0.5);
        printf(
            "%-20s %8.1f us   %-20s %8.1f us   ratio %.2f (%.2f to %.2f, %d pairs)   %s\n",
            $this->name, $this->median($this->name), $this->besideName, $this->median($this->besideName),
            $ratio, self::quantile($ratios, 0.25), self::quantile($ratios, 0.75), count($ratios),
            $goal === null ? 'no goal' : sprintf('goal <= %.1f%s', $goal, $ratio <= $goal ? '' : ' MISSED'),
        );

        return $goal === null || $ratio <= $goal;
    }

    /** @param  non-empty-list<float>  $values */
    private static function quantile(array $values, float $part): float
    {
        sort($values);

        return $values[(int) floor((count($values) - 1) * $part)];
    }
}
