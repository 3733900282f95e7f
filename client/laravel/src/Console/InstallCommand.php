<?php

declare(strict_types=1);

namespace Msab\Laravel\Console;

use Illuminate\Console\Command;
use Illuminate\Filesystem\Filesystem;

/** Puts into the application what it needs: settings, and on request what the outbox and the webhook want. */
final class InstallCommand extends Command
{
    protected $signature = 'msab:install
        {--outbox : publish the migrations, for msab.delivery = outbox}
        {--webhook : publish the migrations and a handler for gifts}
        {--force : overwrite what is there}';

    protected $description = 'Install the relay\'s client: config/msab.php and the settings in .env';

    private const SETTINGS = <<<'ENV'

        MSAB_API_KEY=
        MSAB_GRPC=127.0.0.1:50051
        MSAB_HTTP_URL=http://127.0.0.1:9090

        ENV;

    public function handle(Filesystem $files): int
    {
        $this->publish('msab-config');
        foreach (['.env', '.env.example'] as $name) {
            $this->addSettings($files, $this->laravel->basePath($name));
        }
        if ($this->option('outbox') || $this->option('webhook')) {
            $this->publish('msab-migrations');
        }
        if ($this->option('outbox')) {
            $this->components->info('Set MSAB_DELIVERY=outbox, migrate, and keep running: php artisan msab:outbox work');
        }
        if ($this->option('webhook')) {
            $this->scaffold($files, 'gift-handler.stub', app_path('Relay/SendGift.php'));
            $this->addWebhookSecret($files);
            $this->components->info('Name the handler in config/msab.php: \'webhook\' => [\'gifts\' => App\Relay\SendGift::class, …]. '
                .'Give the relay MSAB_LARAVEL_WEBHOOK_SECRETS (the value of MSAB_WEBHOOK_SECRETS) and MSAB_LARAVEL_WEBHOOK_URL ('.url((string) config('msab.webhook.path', 'msab/webhook')).').');
        }
        $this->components->info('Installed. Set MSAB_API_KEY to the KEY of one of the relay\'s auth.api_keys (NAME:KEY), then: php artisan msab:doctor');

        return self::SUCCESS;
    }

    private function publish(string $tag): void
    {
        $this->call('vendor:publish', ['--tag' => $tag, '--force' => (bool) $this->option('force')]);
    }

    private function addSettings(Filesystem $files, string $file): void
    {
        if (! $files->exists($file) || str_contains($files->get($file), 'MSAB_API_KEY=')) {
            return;
        }
        $files->append($file, self::SETTINGS);
        $this->components->twoColumnDetail(basename($file), 'MSAB_API_KEY, MSAB_GRPC, MSAB_HTTP_URL added');
    }

    /** A secret of this installation's own: never one that others could know. */
    private function addWebhookSecret(Filesystem $files): void
    {
        $file = $this->laravel->basePath('.env');
        if (! $files->exists($file) || str_contains($files->get($file), 'MSAB_WEBHOOK_SECRETS=')) {
            return;
        }
        $break = str_ends_with($files->get($file), "\n") ? '' : "\n";
        $files->append($file, $break.'MSAB_WEBHOOK_SECRETS=whsec_'.base64_encode(random_bytes(32))."\n");
        $this->components->twoColumnDetail('.env', 'MSAB_WEBHOOK_SECRETS added');
    }

    private function scaffold(Filesystem $files, string $stub, string $file): void
    {
        if ($files->exists($file) && ! $this->option('force')) {
            $this->components->twoColumnDetail($file, 'is there already');

            return;
        }
        $files->ensureDirectoryExists(dirname($file));
        $files->copy(__DIR__."/../../stubs/$stub", $file);
        $this->components->twoColumnDetail($file, 'made');
    }
}
