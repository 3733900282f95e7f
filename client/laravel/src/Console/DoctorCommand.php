<?php

declare(strict_types=1);

namespace Msab\Laravel\Console;

use Illuminate\Console\Command;
use Msab\Laravel\Outbox\OutboxCheckup;
use Msab\Laravel\Token\TokenCheckup;
use Msab\Laravel\Transport\Process;
use Msab\Laravel\Webhook\WebhookCheckup;

/** Says what keeps events from arriving, and what would help. Emits nothing. */
final class DoctorCommand extends Command
{
    protected $signature = 'msab:doctor {--connection= : as in msab.connections}';

    protected $description = 'Check the way to the relay (extension, reachability, key, contract, clock), the outbox, tokens and the webhook';

    /** @var list<class-string<Checkup>> */
    private const CHECKUPS = [RelayCheckup::class, OutboxCheckup::class, TokenCheckup::class, WebhookCheckup::class];

    public function handle(): int
    {
        if (Process::hasGrpc() && filter_var(ini_get('grpc.enable_fork_support'), FILTER_VALIDATE_BOOLEAN)) {
            // Nothing more: whatever runs a process now, such as finding the terminal's width, may hang.
            $this->output->writeln('<fg=red>grpc.enable_fork_support is on: proc_open and pcntl_fork can deadlock; remove it from php.ini</>');

            return self::FAILURE;
        }
        $relay = (string) ($this->option('connection') ?? $this->laravel->make('config')->get('msab.default', 'default'));
        $diagnosis = new Diagnosis($this->components);
        foreach (self::CHECKUPS as $checkup) {
            $this->laravel->make($checkup)->run($diagnosis, $relay);
        }

        return $diagnosis->isIll() ? self::FAILURE : self::SUCCESS;
    }
}
