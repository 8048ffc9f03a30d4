"""The dressing room: a web page, and an API for programs, that puts garments on people.

``settings``  how many people, pictures and seconds there may be
``words``     every text of the room, out of ``page/en.json``
``stock``     the wall of garments and the gallery of people
``work``      what a worker process does with pictures; ``worker`` is the inside of that process, ``crew`` the room's end of it
``jobs``      what waits, what runs, and what came of it
``sessions``  who is here, and their pictures, which nobody else reaches
``entrance``  the password, and how often somebody may ask
``room``      all of that together, without a word of HTTP
``metrics``   counts and seconds, of nobody in particular
``guard``     what every request and every answer has to be, before the API sees it
``server``    the API; ``serving`` runs it and stops it
``commands``  ``python -m helpers app``
``client``    a visitor for programs; ``beside`` opens the room from a notebook

Pictures are decoded and worked on in worker processes alone; the server moves bytes. FastAPI rather than Gradio: sessions that cannot see
each other, a queue with positions, cancelling, the keyboard and a page of a few kilobytes are said here in so many lines, and no script of
anybody else runs in the page.
"""
