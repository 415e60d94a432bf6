/** Posts as often as its argument says with the HTTP client of Java, which offers HTTP/2 each time. */
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.io.ByteArrayInputStream;

class Post {
  public static void main(String[] args) throws Exception {
    var client = HttpClient.newHttpClient();
    for (int i = 0; i < Integer.parseInt(args[1]); i++) {
      var body = "x".repeat(i * 50_000);
      // A body of known length, and one in chunks.
      for (var publisher : new HttpRequest.BodyPublisher[] {
        BodyPublishers.ofString(body),
        BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body.getBytes())),
      }) {
        var request = HttpRequest.newBuilder(URI.create(args[0] + i)).POST(publisher).build();
        System.out.println(client.send(request, BodyHandlers.ofString()).body());
      }
    }
    var get = HttpRequest.newBuilder(URI.create(args[0] + "get")).build();
    System.out.println(client.send(get, BodyHandlers.ofString()).body());
  }
}
