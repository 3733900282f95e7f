<?php

declare(strict_types=1);

namespace Msab\Laravel\Webhook;

use Illuminate\Console\Command;

final class PruneReceiptsCommand extends Command
{
    /** What the relay and its clients rely on. */
    private const LEAST_HOURS = 24;

    protected $signature = 'msab:prune-receipts {--hours=48 : forget accepted gifts that are older; at least 24}';

    protected $description = 'Forget the answers to gifts that nobody will repeat any more';

    public function handle(Receipts $receipts): int
    {
        $hours = $this->option('hours');
        if (! is_numeric($hours) || $hours < self::LEAST_HOURS) {
            $this->error('--hours is a number, '.self::LEAST_HOURS.' or more: a client may repeat a gift for that long.');

            return self::INVALID;
        }
        $count = $receipts->prune((int) ($hours * 3_600_000));
        $this->info("Forgotten: {$count} receipts.");

        return self::SUCCESS;
    }
}
