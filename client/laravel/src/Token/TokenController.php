<?php

declare(strict_types=1);

namespace Msab\Laravel\Token;

use Illuminate\Auth\AuthenticationException;
use Illuminate\Contracts\Auth\Authenticatable;
use Illuminate\Contracts\Config\Repository;
use Illuminate\Http\JsonResponse;
use Illuminate\Http\Request;

/** `POST /msab/token`: a fresh token for the signed-in user, and where to connect with it. */
final readonly class TokenController
{
    /** @throws AuthenticationException where the route's middleware let a guest through */
    public function __invoke(Request $request, TokenIssuer $issuer, Repository $config): JsonResponse
    {
        $user = $request->user();
        if (! $user instanceof Authenticatable) {
            throw new AuthenticationException;
        }
        $token = $issuer->issue($user);

        return new JsonResponse(
            ['token' => $token->jwt, 'expiresAt' => $token->expiresAtMs, 'url' => $config->get('msab.token.url')],
            200,
            ['Cache-Control' => 'no-store'],
        );
    }
}
