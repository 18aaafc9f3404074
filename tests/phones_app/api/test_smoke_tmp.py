import pytest
pytestmark=pytest.mark.django_db(transaction=True)
def test_x(client, alice, acme):
    r=client.post('/api/v1/auth/login',{'username':'alice@acme.example','password':'correct horse'},content_type='application/json')
    print(r.status_code,r.json()); t=r.json()['data']['accessToken']
    h={'HTTP_AUTHORIZATION':'Bearer '+t}
    r=client.get('/api/v1/phone-profiles',**h); print(r.status_code,r.content,r.headers)
    r=client.get('/api/v1/phone-profiles'); print(r.status_code,r.content,r.headers)
    r=client.post('/api/v1/phone-profiles',{"user_uuid":str(alice.uuid),"name":"X","cnf_xml":"<device>\n  <deviceType>...</deviceType>...\n</device>"},content_type='application/json',**h); print(r.status_code,r.content)
    pu=r.json()['data']['uuid']
    r=client.post('/api/v1/phones',{"mac":"aabb.ccdd.ee01","model":"8845","software_type":"SIP"},content_type='application/json',**h); print(r.status_code,r.content)
    r=client.get('/api/v1/phones?search=cc:dd',**h); print(r.status_code,r.content)
    r=client.post('/api/v1/file-servers',{"name":"f","host":"127.0.0.1","port":1,"is_default":True,"password":"sec"},content_type='application/json',**h); print(r.status_code,r.content)
    r=client.post('/api/v1/call-managers',{"name":"f","address":"127.0.0.1","kind":"ami","password":"sec"},content_type='application/json',**h); print(r.status_code,r.content)
    r=client.post('/api/v1/phone-profiles/switch',{"profile_uuid":pu,"mac":"SEPAABBCCDDEE01"},content_type='application/json',**h); print(r.status_code,r.content)
    r=client.get('/api/v1/deployments?open=false',**h); print(r.status_code,r.content)
    r=client.get('/api/v1/deployments/'+r.json()['data'][0]['uuid'],**h); print(r.status_code,r.content)
    r=client.get('/api/v1/me',**h); print(r.status_code,r.content)
    r=client.get('/api/v1/me/phones',**h); print(r.status_code,r.content)
    r=client.get('/api/v1/nope',**h); print(r.status_code,r.content)
