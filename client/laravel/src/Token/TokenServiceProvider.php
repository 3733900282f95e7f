<?php

declare(strict_types=1);

namespace Msab\Laravel\Token;

use Illuminate\Contracts\Config\Repository;
use Illuminate\Contracts\Container\Container;
use Illuminate\Routing\Router;
use Illuminate\Support\ServiceProvider;

/** Tokens to connect with, and the route that gives them out. */
final class TokenServiceProvider extends ServiceProvider
{
    public function register(): void
    {
        $this->app->bind(Profile::class, function (Container $app): Profile {
            $claims = (array) $app->make(Repository::class)->get('msab.token.profile', []);

            return new Profile(array_values(array_filter($claims, is_string(...))));
        });
        $this->app->bind(TokenIssuer::class, function (Container $app): TokenIssuer {
            /** @var array{secret?: ?string, private_key?: ?string, ttl?: int|string, audience?: ?string} $config */
            $config = (array) $app->make(Repository::class)->get('msab.token', []);

            return new TokenIssuer(
                SigningKey::fromConfig($config['secret'] ?? null, $config['private_key'] ?? null),
                $app->make(Profile::class),
                (int) ($config['ttl'] ?? 900),
                $config['audience'] ?? null,
            );
        });
    }

    public function boot(Repository $config, Router $router): void
    {
        $path = $config->get('msab.token.path');
        if (! is_string($path) || $path === '') {
            return;
        }
        $throttle = $config->get('msab.token.throttle');
        $middleware = array_values(array_filter((array) $config->get('msab.token.middleware'), is_string(...)));
        if (is_string($throttle) && $throttle !== '') {
            $middleware[] = "throttle:{$throttle}";
        }
        $router->post($path, TokenController::class)->middleware($middleware)->name('msab.token');
    }
}
