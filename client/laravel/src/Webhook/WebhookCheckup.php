<?php

declare(strict_types=1);

namespace Msab\Laravel\Webhook;

use Illuminate\Contracts\Config\Repository;
use Illuminate\Contracts\Container\Container;
use Illuminate\Database\DatabaseManager;
use Illuminate\Http\Request;
use Illuminate\Routing\Router;
use Msab\Laravel\Console\Checkup;
use Msab\Laravel\Console\Diagnosis;
use Msab\Laravel\Exceptions\RelayException;
use Msab\Laravel\Transport\HttpTransport;
use Msab\Laravel\Transport\Transports;
use Symfony\Component\HttpKernel\Exception\HttpExceptionInterface;
use Throwable;

/** The webhook: its secrets, its route, its table, the handler of gifts, and what the relay says of it. */
final readonly class WebhookCheckup implements Checkup
{
    public function __construct(
        private Repository $config,
        private Router $router,
        private DatabaseManager $databases,
        private Transports $transports,
        private Container $app,
    ) {}

    public function run(Diagnosis $diagnosis, string $relay): void
    {
        $path = $this->config->get('msab.webhook.path');
        $secrets = $this->config->get('msab.webhook.secrets');
        if (! is_string($path) || $path === '' || $secrets === null || $secrets === '' || $secrets === []) {
            $diagnosis->note('Webhook', 'not set up; php artisan msab:install --webhook, if clients send gifts or join private rooms');

            return;
        }
        $this->checkSecrets($diagnosis, $secrets);
        $this->checkRoute($diagnosis, $path);
        $this->checkTable($diagnosis);
        $this->checkGifts($diagnosis);
        $this->askRelay($diagnosis, $relay);
    }

    private function checkSecrets(Diagnosis $diagnosis, mixed $secrets): void
    {
        try {
            /** @var list<string>|string $secrets */
            $diagnosis->good('Webhook secrets', (string) count(WebhookSecret::parseAll($secrets)));
        } catch (\InvalidArgumentException $exception) {
            $diagnosis->bad('Webhook secrets', "MSAB_WEBHOOK_SECRETS: {$exception->getMessage()}");
        }
    }

    /** What the application's other routes, or a stale cache of them, leave of ours. */
    private function checkRoute(Diagnosis $diagnosis, string $path): void
    {
        try {
            $found = $this->router->getRoutes()->match(Request::create($path, 'POST'))->getName();
        } catch (HttpExceptionInterface) {
            $found = null;
        }
        if ($found === 'msab.webhook') {
            $diagnosis->good('Webhook route', 'POST /'.ltrim($path, '/'));
        } else {
            $diagnosis->bad('Webhook route', 'POST /'.ltrim($path, '/').' is '.($found === null ? 'not there' : "the route '$found'").': is a route of the application in its way, or route:cache stale?');
        }
    }

    private function checkTable(Diagnosis $diagnosis): void
    {
        $name = $this->config->get('msab.webhook.database');
        $table = $this->config->get('msab.webhook.receipts');
        $table = is_string($table) ? $table : 'msab_receipts';
        try {
            $database = $this->databases->connection(is_string($name) ? $name : null);
            if ($database->getSchemaBuilder()->hasTable($table)) {
                $diagnosis->good('Webhook receipts', $table);
            } else {
                $diagnosis->bad('Webhook receipts', "no $table on the connection '{$database->getName()}': php artisan msab:install --webhook, then migrate");
            }
        } catch (Throwable $exception) {
            $diagnosis->bad('Webhook receipts', "the database can't be asked: {$exception->getMessage()}");
        }
    }

    private function checkGifts(Diagnosis $diagnosis): void
    {
        $class = $this->config->get('msab.webhook.gifts');
        if (! is_string($class) || $class === '') {
            $this->app->bound(GiftHandler::class)
                ? $diagnosis->good('Gifts', 'a GiftHandler is bound')
                : $diagnosis->note('Gifts', 'are rejected: name a GiftHandler in msab.webhook.gifts');
        } elseif ($this->app->bound($class) || is_a($class, GiftHandler::class, true)) {
            $diagnosis->good('Gifts', $class);
        } else {
            $diagnosis->bad('Gifts', "msab.webhook.gifts: $class is no class that implements ".GiftHandler::class);
        }
    }

    /** It alone knows how its posts are answered. */
    private function askRelay(Diagnosis $diagnosis, string $relay): void
    {
        try {
            $twin = $this->transports->make($relay, 'http');
            assert($twin instanceof HttpTransport);
            $checks = $twin->checks(2.0);
        } catch (\InvalidArgumentException|RelayException) {
            $diagnosis->note('Webhook, says the relay', 'not asked: it doesn\'t answer by HTTP');

            return;
        }
        if (! array_key_exists('laravel', $checks)) {
            $diagnosis->bad('Webhook, says the relay', 'it has none: set its laravel.webhook_url and laravel.webhook_secrets');
        } elseif ($checks['laravel'] !== null) {
            $diagnosis->bad('Webhook, says the relay', $checks['laravel']);
        } else {
            $diagnosis->good('Webhook, says the relay', 'well, as far as it has tried');
        }
    }
}
