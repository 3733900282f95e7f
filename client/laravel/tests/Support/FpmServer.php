<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Support;

/** PHP-FPM behind nginx, serving the test application, all in one directory and on ports of its own. */
final class FpmServer
{
    private readonly int $port;

    public function __construct(private readonly string $directory)
    {
        $this->port = Ports::free();
        $socket = "$directory/fpm.sock";
        $public = dirname(__DIR__).'/app/public';
        $user = posix_getpwuid(posix_geteuid())['name'];
        file_put_contents("$directory/fpm.conf", <<<INI
            [global]
            error_log = $directory/fpm.log
            daemonize = no
            [www]
            user = $user
            group = $user
            listen = $socket
            pm = static
            pm.max_children = 4
            clear_env = no
            catch_workers_output = yes
            INI);
        file_put_contents("$directory/nginx.conf", <<<NGINX
            daemon off;
            user $user;
            worker_processes 1;
            pid $directory/nginx.pid;
            error_log $directory/nginx.log;
            events { worker_connections 256; }
            http {
              access_log off;
              client_body_temp_path $directory/body;
              fastcgi_temp_path $directory/fastcgi;
              proxy_temp_path $directory/proxy;
              scgi_temp_path $directory/scgi;
              uwsgi_temp_path $directory/uwsgi;
              server {
                listen 127.0.0.1:$this->port;
                location / {
                  fastcgi_pass unix:$socket;
                  fastcgi_param SCRIPT_FILENAME $public/index.php;
                  fastcgi_param SCRIPT_NAME /index.php;
                  fastcgi_param REQUEST_METHOD \$request_method;
                  fastcgi_param REQUEST_URI \$request_uri;
                  fastcgi_param QUERY_STRING \$query_string;
                  fastcgi_param CONTENT_TYPE \$content_type;
                  fastcgi_param CONTENT_LENGTH \$content_length;
                  fastcgi_param SERVER_NAME 127.0.0.1;
                  fastcgi_param SERVER_PORT $this->port;
                  fastcgi_param SERVER_PROTOCOL \$server_protocol;
                }
              }
            }
            NGINX);
    }

    /** @return list<string> */
    public function fpmCommand(): array
    {
        return ['php-fpm8.2', '--fpm-config', "$this->directory/fpm.conf", '--nodaemonize', ...(posix_geteuid() === 0 ? ['--allow-to-run-as-root'] : [])];
    }

    /** @return list<string> */
    public function nginxCommand(): array
    {
        return [is_executable('/usr/sbin/nginx') ? '/usr/sbin/nginx' : 'nginx', '-c', "$this->directory/nginx.conf", '-p', $this->directory];
    }

    public function url(string $path): string
    {
        return "http://127.0.0.1:$this->port$path";
    }

    public function untilReady(): void
    {
        Until::true(fn () => (array_values($this->post(['/up'], 1))[0][0] ?? 0) > 0
            && file_exists("$this->directory/fpm.sock"), 'nginx and PHP-FPM to serve');
    }

    /**
     * @param  list<string>  $paths
     * @return array<string, array{int, string}> status and body, by path
     */
    public function post(array $paths, int $atOnce): array
    {
        $multi = curl_multi_init();
        $waiting = $paths;
        $running = [];
        $answers = [];
        do {
            while (count($running) < $atOnce && $waiting !== []) {
                $path = array_shift($waiting);
                $curl = curl_init($this->url($path));
                curl_setopt_array($curl, [CURLOPT_POSTFIELDS => '', CURLOPT_RETURNTRANSFER => true, CURLOPT_TIMEOUT => 60, CURLOPT_HTTPHEADER => ['Accept: application/json']]);
                curl_multi_add_handle($multi, $curl);
                $running[spl_object_id($curl)] = $path;
            }
            curl_multi_exec($multi, $active);
            while (($done = curl_multi_info_read($multi)) !== false) {
                $curl = $done['handle'];
                $answers[$running[spl_object_id($curl)]] = [curl_getinfo($curl, CURLINFO_RESPONSE_CODE), (string) curl_multi_getcontent($curl)];
                unset($running[spl_object_id($curl)]);
                curl_multi_remove_handle($multi, $curl);
            }
            curl_multi_select($multi, 0.05);
        } while ($running !== [] || $waiting !== []);

        return $answers;
    }
}
