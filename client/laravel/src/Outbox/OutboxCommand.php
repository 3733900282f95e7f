<?php

declare(strict_types=1);

namespace Msab\Laravel\Outbox;

use Carbon\CarbonInterval;
use Illuminate\Console\Command;
use Illuminate\Contracts\Config\Repository;
use Illuminate\Contracts\Debug\ExceptionHandler;
use InvalidArgumentException;
use Msab\Laravel\Msab;
use Msab\Laravel\Transport\Transport;
use stdClass;

/** `msab:outbox work|status|retry|prune` */
final class OutboxCommand extends Command
{
    protected $signature = 'msab:outbox
        {action : work, status, retry or prune}
        {ids?* : retry: the ids of the dead rows}
        {--connection=* : work: the relays to send to, of msab.connections; all of them unless named}
        {--lanes=16 : work: how many of the 16 lanes this worker holds at most; workers share them evenly}
        {--once : work: one look, then end}
        {--stop-when-empty : work: end as soon as nothing is due}
        {--idle=250 : work: milliseconds between two looks while nothing waits}
        {--max-time=0 : work: seconds after which to end}
        {--memory=128 : work: MiB of memory above which to end}
        {--json : status: as JSON}
        {--max-age= : status: exit with 1 if a row has waited for more than so many seconds}
        {--all : retry: all dead rows}
        {--sent-hours= : prune: forget what was sent longer ago; 24 unless configured}
        {--dead-days= : prune: forget what has been dead for longer; 14 unless configured}';

    protected $description = 'Send what waits in the outbox, look at it, retry what the relay refused, forget what is old';

    public function handle(Outbox $outbox): int
    {
        $action = $this->argument('action');

        return match ($action) {
            'work' => $this->work($outbox),
            'status' => $this->status($outbox),
            'retry' => $this->retry($outbox),
            'prune' => $this->prune($outbox),
            default => $this->wrong('The action is work, status, retry or prune'.(is_string($action) ? ", not \"{$action}\"." : '.')),
        };
    }

    private function work(Outbox $outbox): int
    {
        $drains = [];
        foreach ($this->relays() as $relay) {
            $drains[] = $outbox->drain(
                $relay,
                fn (): Transport => $this->laravel->make(Msab::class)->connection($relay)->transport(),
                (int) $this->number('lanes', 16),
            );
        }
        $worker = new Worker(
            $drains,
            $this->laravel->make(ExceptionHandler::class),
            idle: max(1, $this->number('idle', 250)) / 1000,
            maxTime: $this->option('once') ? PHP_FLOAT_EPSILON : $this->number('max-time', 0),
            memory: (int) $this->number('memory', 128),
        );
        if (extension_loaded('pcntl')) {
            $this->trap([SIGTERM, SIGINT, SIGQUIT], $worker->stop(...));
        }
        $moved = $worker->run((bool) $this->option('stop-when-empty'));
        $this->line("{$moved} rows left the outbox.", verbosity: 'v');

        return $worker->failed() ? self::FAILURE : self::SUCCESS;
    }

    /** @return list<string> */
    private function relays(): array
    {
        $config = $this->laravel->make(Repository::class);
        $known = array_map(strval(...), array_keys((array) $config->get('msab.connections', [])));
        $named = array_values(array_filter((array) $this->option('connection'), is_string(...)));
        foreach (array_diff($named, $known) as $unknown) {
            throw new InvalidArgumentException("msab.connections has no \"{$unknown}\"; it has ".implode(', ', $known).'.');
        }

        return $named === [] ? $known : $named;
    }

    private function status(Outbox $outbox): int
    {
        $counts = $outbox->table()->counts();
        $lanes = $outbox->lanes();
        $workers = $outbox->workers();
        $dead = $outbox->table()->dead(10);
        $oldest = max([0, ...array_map(
            fn (array $count): float => $count['state'] === RowState::Pending->value ? $count['oldestSeconds'] : 0,
            $counts,
        )]);
        if ($this->option('json')) {
            $this->line(json_encode(['rows' => $counts, 'lanes' => $lanes, 'workers' => $workers, 'dead' => $dead], JSON_THROW_ON_ERROR | JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES));
        } else {
            $this->print($counts, $lanes, $workers, $dead);
        }
        $most = $this->option('max-age');

        return is_numeric($most) && $oldest > (float) $most ? self::FAILURE : self::SUCCESS;
    }

    /**
     * @param  list<array{connection: string, state: string, rows: int, oldestSeconds: float}>  $counts
     * @param  list<stdClass>  $lanes
     * @param  list<stdClass>  $workers
     * @param  list<stdClass>  $dead
     */
    private function print(array $counts, array $lanes, array $workers, array $dead): void
    {
        if ($counts === []) {
            $this->line('The outbox is empty.');
        } else {
            $this->table(['relay', 'state', 'rows', 'oldest'], array_map(
                fn (array $count): array => [$count['connection'], $count['state'], $count['rows'], self::age($count['oldestSeconds'])],
                $counts,
            ));
        }
        $served = array_filter($lanes, fn (stdClass $lane): bool => $lane->seconds_left > 0);
        $named = fn (stdClass $one): string => "{$one->owner} ({$one->connection})";
        $owners = array_count_values(array_map($named, $served)) + array_fill_keys(array_map($named, $workers), 0);
        $this->line($owners === [] ? 'No worker is running.' : 'Workers:');
        foreach ($owners as $owner => $count) {
            $this->line("  {$owner}: {$count} of ".Lane::COUNT.' lanes');
        }
        foreach ($lanes as $lane) {
            if ($lane->error !== null) {
                $this->warn("Lane {$lane->lane} of {$lane->connection} stands still. {$lane->error}");
            }
        }
        if ($dead !== []) {
            $this->line('Refused (the latest):');
            $this->table(['id', 'event', 'audience', 'event id', 'why'], array_map(
                fn (stdClass $row): array => [$row->id, $row->event_name, $row->audience, $row->event_id, self::reason($row->error)],
                $dead,
            ));
        }
    }

    private function retry(Outbox $outbox): int
    {
        /** @var list<string> $ids */
        $ids = (array) $this->argument('ids');
        if ($ids === [] && ! $this->option('all')) {
            return $this->wrong('Which ones? Name the ids that `msab:outbox status` shows, or say --all.');
        }
        foreach ($ids as $id) {
            if (! ctype_digit($id)) {
                return $this->wrong("\"{$id}\" is no id of a row.");
            }
        }
        $count = $outbox->table()->retry($this->option('all') ? null : array_map(intval(...), $ids));
        $this->info("{$count} dead rows wait to be sent again.");

        return self::SUCCESS;
    }

    private function prune(Outbox $outbox): int
    {
        $hours = $this->option('sent-hours');
        $days = $this->option('dead-days');
        foreach (['sent-hours' => $hours, 'dead-days' => $days] as $option => $value) {
            if ($value !== null && (! is_numeric($value) || $value < 0)) {
                return $this->wrong("--{$option} is a number, 0 or more.");
            }
        }
        $sent = $outbox->table()->prune(RowState::Sent, is_numeric($hours) ? (int) ($hours * 3_600_000) : $outbox->keepSentMs());
        $dead = $outbox->table()->prune(RowState::Dead, is_numeric($days) ? (int) ($days * 86_400_000) : $outbox->keepDeadMs());
        $this->info("Forgotten: {$sent} sent, {$dead} dead.");

        return self::SUCCESS;
    }

    private function number(string $option, float $default): float
    {
        $value = $this->option($option) ?? $default;

        return is_numeric($value) && $value >= 0 ? (float) $value : throw new InvalidArgumentException("--{$option} is a number, 0 or more.");
    }

    private function wrong(string $message): int
    {
        $this->error($message);

        return self::INVALID;
    }

    private static function age(float $seconds): string
    {
        return $seconds < 120 ? sprintf('%.1f s', $seconds) : CarbonInterval::seconds((int) $seconds)->cascade()->forHumans(parts: 1);
    }

    private static function reason(?string $error): string
    {
        $error = json_decode($error ?? '{}', true);
        if (! is_array($error)) {
            return '';
        }
        $violations = array_map(
            fn (mixed $violation): string => is_array($violation) ? "{$violation['field']}: {$violation['description']}" : '',
            (array) ($error['violations'] ?? []),
        );

        return ($error['code'] ?? '').' '.($violations === [] ? ($error['message'] ?? '') : implode('; ', $violations));
    }
}
