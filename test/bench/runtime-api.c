/*
 * A Runtime API for measurements, and the least that a client of it can cost.
 *
 *   runtime-api serve INVOCATIONS WARMUP BYTES   prints its port, the monotonic time of the first
 *                                                request, "warm" after WARMUP invocations, and the
 *                                                seconds that INVOCATIONS more took; then it waits
 *   runtime-api echo PORT                        a client that answers every event with itself
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS 16
#define BUFFER (4 << 20)

struct connection { int fd; char *data; size_t size; };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void die(const char *what) { perror(what); exit(1); }

static void send_all(int fd, const char *data, size_t size) {
  while (size > 0) {
    ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
    if (sent <= 0) die("send");
    data += sent;
    size -= sent;
  }
}

static void send_both(int fd, char *head, size_t head_size, char *body, size_t body_size) {
  struct iovec parts[2] = {{head, head_size}, {body, body_size}};
  ssize_t sent = writev(fd, parts, 2);
  if (sent < (ssize_t)head_size) die("writev");
  send_all(fd, body + (sent - head_size), body_size - (sent - head_size));
}

/* Bytes of the first whole message in the connection's data, 0 for none yet. */
static size_t whole(struct connection *c, size_t *head) {
  c->data[c->size] = 0;
  char *end = strstr(c->data, "\r\n\r\n");
  if (!end) return 0;
  *head = end + 4 - c->data;
  *end = 0;
  char *length = strcasestr(c->data, "\r\ncontent-length:");
  *end = '\r';
  size_t size = *head + (length ? strtoul(length + 17, NULL, 10) : 0);
  return c->size >= size ? size : 0;
}

static int receive(struct connection *c) {
  ssize_t got = recv(c->fd, c->data + c->size, BUFFER - 1 - c->size, 0);
  if (got > 0) c->size += got;
  return got > 0;
}

static void drop(struct connection *c, size_t size) {
  c->size -= size;
  memmove(c->data, c->data + size, c->size);
}

static void nodelay(int fd) {
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* An event of so many bytes: records, as of a table, above 4 KB, and a text that fills it up. */
static char *make_event(long bytes) {
  char *event = malloc(bytes + 128);
  long length = 0;
  if (bytes > 4096) {
    length += sprintf(event, "{\"items\":[");
    for (long id = 0; length < bytes - 160; id++)
      length += sprintf(event + length,
          "%s{\"id\":%ld,\"name\":\"item %ld\",\"price\":%ld.25,\"tags\":[\"a\",\"b\"],\"ok\":true}",
          id ? "," : "", id, id, id);
    length += sprintf(event + length, "],\"text\":\"");
  } else {
    length += sprintf(event, "{\"text\":\"");
  }
  memset(event + length, 'x', bytes - length - 2);
  memcpy(event + bytes - 2, "\"}", 2);
  return event;
}

static void report(double value) {
  printf("%.6f\n", value);
  fflush(stdout);
}

static int serve(long invocations, long warmup, long bytes) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (void *)&address, size) || listen(listener, 8)) die("listen");
  getsockname(listener, (void *)&address, &size);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);

  char *event = make_event(bytes), head_text[1024];
  struct pollfd polled[CONNECTIONS + 1] = {{.fd = listener, .events = POLLIN}};
  struct connection connections[CONNECTIONS + 1];
  int count = 1;
  long given = 0, answered = 0;
  double started = 0;
  long long deadline = (time(NULL) + 900) * 1000LL;
  for (;;) {
    if (poll(polled, count, -1) < 0) die("poll");
    for (int i = 1; i < count; i++) {
      if (!polled[i].revents) continue;
      struct connection *c = &connections[i];
      if (!receive(c)) {
        close(c->fd);
        polled[i].fd = -1;
        polled[i].revents = 0;
        continue;
      }
      size_t head, message;
      while ((message = whole(c, &head))) {
        if (c->data[0] == 'G') {
          if (given == 0) report(now());
          if (given == warmup) {
            printf("warm\n");
            fflush(stdout);
            started = now();
          }
          int length = sprintf(head_text,
              "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
              "Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-%012ld\r\n"
              "Lambda-Runtime-Deadline-Ms: %lld\r\n"
              "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-west-1:111111111111:function:f\r\n"
              "Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0\r\n"
              "Content-Length: %ld\r\n\r\n", given++, deadline, bytes);
          send_both(c->fd, head_text, length, event, bytes);
        } else {
          if (!strstr(c->data, "/response ")) { fprintf(stderr, "%.400s\n", c->data); return 1; }
          const char *ok = "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\n"
                           "Content-Length: 16\r\n\r\n{\"status\":\"OK\"}\n";
          if (++answered == warmup + invocations) {
            report(now() - started);
            /* The client is looked at before it is stopped. */
            for (;;) pause();
          }
          send_all(c->fd, ok, strlen(ok));
        }
        drop(c, message);
      }
    }
    if (polled[0].revents && count <= CONNECTIONS) {
      int fd = accept(listener, NULL, NULL);
      nodelay(fd);
      polled[count] = (struct pollfd){.fd = fd, .events = POLLIN};
      connections[count++] = (struct connection){.fd = fd, .data = malloc(BUFFER)};
    }
  }
}

static int echo(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct connection c = {.fd = socket(AF_INET, SOCK_STREAM, 0), .data = malloc(BUFFER)};
  if (connect(c.fd, (void *)&address, sizeof address)) die("connect");
  nodelay(c.fd);
  const char *next = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: a\r\n\r\n";
  char *post = malloc(BUFFER), id[64];
  for (;;) {
    size_t head, message;
    send_all(c.fd, next, strlen(next));
    while (!(message = whole(&c, &head))) if (!receive(&c)) return 0;
    sscanf(strcasestr(c.data, "Request-Id:"), "Request-Id: %63s", id);
    int length = sprintf(post,
        "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: a\r\n"
        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n", id, message - head);
    memcpy(post + length, c.data + head, message - head);
    send_all(c.fd, post, length + message - head);
    drop(&c, message);
    while (!(message = whole(&c, &head))) if (!receive(&c)) return 0;
    drop(&c, message);
  }
}

/* Becomes a program, and tells on descriptor 3 when: starting a process takes its starter milliseconds. */
static int start(char **command) {
  dprintf(3, "%.6f", now());
  close(3);
  execvp(command[0], command);
  perror(command[0]);
  return 127;
}

int main(int argc, char **argv) {
  if (argc > 2 && !strcmp(argv[1], "start")) return start(argv + 2);
  if (argc == 5 && !strcmp(argv[1], "serve")) return serve(atol(argv[2]), atol(argv[3]), atol(argv[4]));
  if (argc == 3 && !strcmp(argv[1], "echo")) return echo(atoi(argv[2]));
  fprintf(stderr, "usage: %s serve INVOCATIONS WARMUP BYTES | echo PORT | start COMMAND...\n", argv[0]);
  return 2;
}
