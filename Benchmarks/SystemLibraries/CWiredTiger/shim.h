// WiredTiger's methods are function pointers, some of them variadic, which Swift cannot call.
#include <stddef.h>
#include <string.h>
#include <wiredtiger.h>

static inline int benchmark_wt_open(
    const char *path, const char *configuration, WT_CONNECTION **connection) {
  return wiredtiger_open(path, NULL, configuration, connection);
}

static inline int benchmark_wt_close(WT_CONNECTION *connection) {
  return connection->close(connection, NULL);
}

static inline int benchmark_wt_session(WT_CONNECTION *connection, WT_SESSION **session) {
  return connection->open_session(connection, NULL, NULL, session);
}

static inline int benchmark_wt_create(WT_SESSION *session, const char *configuration) {
  return session->create(session, "table:entries", configuration);
}

static inline int benchmark_wt_cursor(WT_SESSION *session, WT_CURSOR **cursor) {
  return session->open_cursor(session, "table:entries", NULL, "overwrite=true", cursor);
}

static inline int benchmark_wt_end(WT_SESSION *session) { return session->close(session, NULL); }

static inline int benchmark_wt_begin(WT_SESSION *session) {
  return session->begin_transaction(session, NULL);
}

static inline int benchmark_wt_commit(WT_SESSION *session, const char *configuration) {
  return session->commit_transaction(session, configuration);
}

static inline int benchmark_wt_checkpoint(WT_SESSION *session) {
  return session->checkpoint(session, NULL);
}

static inline int benchmark_wt_sync(WT_SESSION *session) {
  return session->log_flush(session, "sync=on");
}

static inline void benchmark_wt_set_key(WT_CURSOR *cursor, const void *key, size_t size) {
  WT_ITEM item;
  memset(&item, 0, sizeof item);
  item.data = key;
  item.size = size;
  cursor->set_key(cursor, &item);
}

static inline int benchmark_wt_put(
    WT_CURSOR *cursor, const void *key, size_t key_size, const void *value, size_t value_size) {
  WT_ITEM item;
  memset(&item, 0, sizeof item);
  item.data = value;
  item.size = value_size;
  benchmark_wt_set_key(cursor, key, key_size);
  cursor->set_value(cursor, &item);
  return cursor->insert(cursor);
}

static inline int benchmark_wt_search(WT_CURSOR *cursor, const void *key, size_t size) {
  benchmark_wt_set_key(cursor, key, size);
  return cursor->search(cursor);
}

// The first entry at or after the key.
static inline int benchmark_wt_seek(WT_CURSOR *cursor, const void *key, size_t size) {
  int exact = 0;
  benchmark_wt_set_key(cursor, key, size);
  int result = cursor->search_near(cursor, &exact);
  return result == 0 && exact < 0 ? cursor->next(cursor) : result;
}

static inline int benchmark_wt_next(WT_CURSOR *cursor) { return cursor->next(cursor); }

static inline int benchmark_wt_entry(WT_CURSOR *cursor, WT_ITEM *key, WT_ITEM *value) {
  int result = cursor->get_key(cursor, key);
  return result != 0 ? result : cursor->get_value(cursor, value);
}

static inline int benchmark_wt_value(WT_CURSOR *cursor, WT_ITEM *value) {
  return cursor->get_value(cursor, value);
}

static inline int benchmark_wt_remove(WT_CURSOR *cursor, const void *key, size_t size) {
  benchmark_wt_set_key(cursor, key, size);
  return cursor->remove(cursor);
}

static inline int benchmark_wt_reset(WT_CURSOR *cursor) { return cursor->reset(cursor); }
