/** An Express application. evy serves any `(request, response)` listener, with node:http in each worker. */
import { postHook } from 'evy';
import express from 'express';

const app = express();

app.get('/', (_request, response) => {
  response.type('text/plain').send('Hello, Express!\n');
});

app.post('/echo', express.json(), (request, response) => {
  postHook(response, (env) => console.log(`echoed, ${env['evy.response']?.bytesSent} bytes sent`));
  response.json(request.body);
});

export default app;
