<?php

declare(strict_types=1);

namespace Msab\Laravel\Webhook;

use Illuminate\Contracts\Config\Repository;
use Illuminate\Contracts\Container\Container;
use Illuminate\Contracts\Debug\ExceptionHandler;
use Illuminate\Database\DatabaseManager;
use Illuminate\Routing\Router;
use Illuminate\Support\ServiceProvider;
use LogicException;
use Msab\Laravel\Outbox\DatabaseClock;

/** The relay's webhook: its route, and the application's handlers behind it. */
final class WebhookServiceProvider extends ServiceProvider
{
    public function register(): void
    {
        $this->app->bind(Receipts::class, function (Container $app): Receipts {
            $config = $app->make(Repository::class);
            $name = $config->get('msab.webhook.database');
            $database = $app->make(DatabaseManager::class)->connection(is_string($name) ? $name : null);
            $table = $config->get('msab.webhook.receipts');

            return new Receipts($database, is_string($table) ? $table : 'msab_receipts', new DatabaseClock($database));
        });
        $this->app->bind(CommandRunner::class, function (Container $app): CommandRunner {
            $config = $app->make(Repository::class);

            return new CommandRunner(
                fn (): ?GiftHandler => $this->gifts($app, $config),
                fn (): JoinHandler => $this->joins($app, $config),
                fn (): Receipts => $app->make(Receipts::class),
                $app->make(ExceptionHandler::class),
                (int) $config->get('msab.webhook.budget_ms', 3000),
            );
        });
        $this->app->bind(Signature::class, function (Container $app): Signature {
            /** @var list<string>|string|null $secrets */
            $secrets = $app->make(Repository::class)->get('msab.webhook.secrets');

            return Signature::fromConfig($secrets);
        });
    }

    public function boot(Repository $config, Router $router): void
    {
        $path = $config->get('msab.webhook.path');
        if (is_string($path) && $path !== '') {
            // No session, no cookies, no CSRF token: the signature is what lets the relay in.
            $router->post($path, WebhookController::class)->name('msab.webhook');
        }
        if ($this->app->runningInConsole()) {
            $this->commands([PruneReceiptsCommand::class]);
        }
    }

    private function gifts(Container $app, Repository $config): ?GiftHandler
    {
        $class = $config->get('msab.webhook.gifts');
        if (! is_string($class) || $class === '') {
            return $app->bound(GiftHandler::class) ? $app->make(GiftHandler::class) : null;
        }
        $handler = $app->make($class);

        return $handler instanceof GiftHandler ? $handler : throw new LogicException("msab.webhook.gifts: {$class} does not implement ".GiftHandler::class.'.');
    }

    private function joins(Container $app, Repository $config): JoinHandler
    {
        $class = $config->get('msab.webhook.joins');
        $handler = $app->make(is_string($class) && $class !== '' ? $class : ChannelJoinHandler::class);

        return $handler instanceof JoinHandler ? $handler : throw new LogicException("msab.webhook.joins: {$class} does not implement ".JoinHandler::class.'.');
    }
}
