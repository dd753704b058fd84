/* What Paho 1.3.12 does not do with its socket, which it hides: answer at once. */
#ifndef ARGOSY_ADAPTERS_MQTT_PAHO_SOCKET_H
#define ARGOSY_ADAPTERS_MQTT_PAHO_SOCKET_H

/* Finds the connections of this process to the uri's port; sets TCP_NODELAY on each (Nagle's
 * algorithm would add 40 ms to every answer), and lets Paho's naps end when there is something to
 * read on it (see mqtt_paho_socket.c). */
void mqtt_paho_socket_adopt(const char *uri);
/* The connection is over; before Paho's client is destroyed. */
void mqtt_paho_socket_forget(void);

#endif
