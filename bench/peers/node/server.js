// Express on a cluster of two: Twilio's own middleware checks the signature, pg asks by a prepared statement.
"use strict";

const cluster = require("node:cluster");

const WORKERS = 2;

if (cluster.isPrimary) {
  for (let number = 0; number < WORKERS; number += 1) cluster.fork();
  // Without this a worker that cannot start would leave a server that never answers.
  cluster.on("exit", () => process.exit(1));
} else {
  serve();
}

function serve() {
  const express = require("express");
  const { Pool } = require("pg");
  const twilio = require("twilio");

  const origin = process.env.BENCH_ORIGIN;
  const pool = new Pool({ connectionString: process.env.BENCH_DATABASE, max: 8 });
  const app = express();
  app.use(express.urlencoded({ extended: false }));

  app.post(
    "/twilio/call",
    twilio.webhook(process.env.TWILIO_AUTH_TOKEN, { url: `${origin}/twilio/call` }),
    async (request, response) => {
      const line = request.body.To;
      // A query with a name is prepared once on each connection.
      const found = await pool.query({
        name: "notice",
        text: "SELECT notice_url FROM peer_notices WHERE line = $1 AND in_force",
        values: [line],
      });
      const answer = new twilio.twiml.VoiceResponse();
      if (found.rows.length > 0) {
        const gather = answer.gather({
          numDigits: 1,
          timeout: 1,
          action: `${origin}/twilio/connect`,
          finishOnKey: "",
        });
        gather.play(found.rows[0].notice_url);
      }
      const dial = answer.dial({ answerOnBridge: true, timeout: 60, action: `${origin}/twilio/dialled` });
      dial.number(line);
      response.type("text/xml").send(answer.toString());
    },
  );

  app.listen(Number(process.env.PORT), "127.0.0.1");
}
