const work = new Worker("./work.js"); // boot.js and "not/work.js" stay
